"""Impressions for a log of clicks alone: to each click, articles that others read in the hours before it.

    with_negatives(log, seed) -> the same log, and an impression before each click

Such a log does not say what was shown and not clicked. So each clicked article gets PER_CLICK others, drawn from the
clicks of the last HOURS: an article is drawn as often as it was clicked then (as the evaluation protocol of CHAMELEON
does; de Souza Pereira Moreira et al., RecSys DLRS 2018). Only earlier clicks are drawn from, in the order of the log:
a log cut at a time gets the same impressions before it. Articles the user has clicked among their last 30 are left
out; a click with nothing to draw gets no impression. Nor does a click on what nobody has clicked in those hours: among
articles that all have readers it would be known by having none, and a model learn that what is unread gets clicked.

What this cannot give: probabilities. One of five is clicked by construction, and popular articles are refused as
often as they are read, so what is learned is an order among articles equally in demand. A threshold on P(click) needs
a log with real impressions.
"""

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from ..contracts.event import UserEvent
from ..datasets.impressions import with_shown
from ..datasets.records import Impression, Log, Step, Summary
from .history import HISTORY

PER_CLICK = 4
HOURS = 3.0
HOUR_MS = 3_600_000
TRIES = 4  # draws for each negative, since a draw may be one the user has read


@dataclass(frozen=True)
class WithNegatives:
    """A log and the impressions sampled for its clicks; the same seed gives the same."""

    log: Log
    seed: int

    @cached_property
    def summary(self) -> Summary:
        """The summary of the log, with at most one impression for each click."""
        found = self.log.summary
        return replace(found, impressions=found.impressions + found.events.get("click", 0))

    def __iter__(self) -> Iterator[Step]:
        rng = np.random.default_rng(self.seed)
        recent: deque[tuple[int, str]] = deque()  # clicks of the last hours
        times: Counter[str] = Counter()  # that an article is in them
        reads: dict[str, deque[str]] = {}
        for step in self.log:
            if isinstance(step.record, UserEvent) and step.record.action == "click":
                click = step.record
                while recent and recent[0][0] < step.at_ms - HOURS * HOUR_MS:
                    times[recent.popleft()[1]] -= 1
                read = reads.setdefault(click.user_id, deque(maxlen=HISTORY))
                if click.article_id not in read:
                    others = self._draw(rng, recent, {*read, click.article_id})
                    if others and times[click.article_id]:
                        yield Step(step.at_ms, _shown(rng, click, others))
                    read.append(click.article_id)
                recent.append((step.at_ms, click.article_id))
                times[click.article_id] += 1
            yield step

    def _draw(self, rng: np.random.Generator, recent: deque[tuple[int, str]], not_these: set[str]) -> list[str]:
        if not recent:
            return []
        found: dict[str, None] = {}  # in the order drawn, each once
        for at in rng.integers(0, len(recent), TRIES * PER_CLICK).tolist():
            article_id = recent[at][1]
            if article_id not in not_these and len(found) < PER_CLICK:
                found[article_id] = None
        return list(found)


def with_negatives(log: Log, seed: int) -> Log:
    """`log` itself if it has impressions; else with those its events are, else with sampled ones."""
    if not log.summary.impressions and log.summary.events.get("impression"):
        log = with_shown(log)
    return log if log.summary.impressions else WithNegatives(log, seed)


def _shown(rng: np.random.Generator, click: UserEvent, others: list[str]) -> Impression:
    names = [*others, click.article_id]
    order = rng.permutation(len(names)).tolist()
    shown = tuple(names[at] for at in order)
    return Impression(click.user_id, shown, tuple(name == click.article_id for name in shown))
