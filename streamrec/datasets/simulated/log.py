"""A simulated log in the common form of all logs, for training, replay and tests without real data.

It opens with a newsroom that has been writing for half a day, so the first visitors already find something to read.
"""

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from ..records import Step, Summary, summary_of
from ..tally import Tally
from .newsroom import HOUR_MS, Newsroom, SimArticle, arrivals_ms
from .readers import Readers
from .visits import visit

START_MS = 1_767_225_600_000  # 2026-01-01
OPENING_H = 12.0


class SimulatedLog:
    """`hours` of visits after an opening of 12 hours with articles only; the same arguments give the same steps."""

    def __init__(
        self,
        seed: int,
        n_users: int = 2_000,
        hours: float = 48.0,
        *,
        start_ms: int = START_MS,
        articles_per_hour: float = 20.0,
        visits_per_user_day: float = 3.0,
    ) -> None:
        self.seed = seed
        self.readers = Readers(n_users, seed)
        self.start_ms = start_ms
        self.visits_from_ms = start_ms + int(OPENING_H * HOUR_MS)
        self.end_ms = self.visits_from_ms + int(hours * HOUR_MS)
        self.articles_per_hour = articles_per_hour
        self.visits_per_hour = visits_per_user_day * n_users / 24.0

    def __iter__(self) -> Iterator[Step]:
        return self.play(Newsroom(self.seed))

    def play(self, newsroom: Newsroom) -> Iterator[Step]:
        """The steps, with `newsroom` (a new one of the same seed) left holding all articles, for `lift`."""
        rng = np.random.default_rng([self.seed, 1])
        written = newsroom.stream(self.start_ms, self.end_ms, self.articles_per_hour)
        coming = next(written, None)
        fresh: list[SimArticle] = []
        for at_ms in arrivals_ms(rng, self.visits_from_ms, self.end_ms, self.visits_per_hour):
            changed = False
            while coming is not None and coming[0] <= at_ms:
                yield Step(coming[0], coming[1].event)
                coming, changed = next(written, None), True
            fresh = newsroom.fresh(at_ms) if changed or not fresh else fresh
            if fresh:
                yield from visit(self.readers, fresh, at_ms, rng).steps()
        if coming is not None:
            yield Step(coming[0], coming[1].event)
        yield from (Step(at_ms, article.event) for at_ms, article in written)

    @cached_property
    def summary(self) -> Summary:
        """Counts and time range; plays the log once."""
        return summary_of("simulated", self, Tally())
