"""What all pages of the desk share: the followed state and where forms go, with answers kept for a moment.

Ten editors who watch the same figures cost what one does: an answer is kept for a second, and who asks for the same
while it is being found waits for it.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar

from ..clock import monotonic_s
from ..partition.partition import Partition
from .articles import ArticleIndex
from .frame import Frame
from .sources import Sources
from .words import Times, span

P = ParamSpec("P")
T = TypeVar("T")
KEPT_S = 1.0
MOST_KEPT = 64  # answers
OLD_S = 10.0  # figures older than this are marked


class Desk:
    """See above."""

    def __init__(self, sources: Sources, frame: Frame, times: Times) -> None:
        self.sources, self.frame, self.times = sources, frame, times
        self._kept: dict[object, tuple[float, asyncio.Future[Any]]] = {}
        self._index: ArticleIndex | None = None

    async def seen(
        self, key: object, work: Callable[Concatenate[Sequence[Partition], P], T], *args: P.args, **more: P.kwargs
    ) -> T:
        """What `work` finds in the partitions; at most a second ago for the same key."""
        now_s = monotonic_s()
        kept = self._kept.get(key)
        if kept is None or (kept[1].done() and (now_s - kept[0] > KEPT_S or kept[1].exception() is not None)):
            self._kept = {
                one: value for one, value in self._kept.items() if now_s - value[0] <= KEPT_S or not value[1].done()
            }
            task = asyncio.ensure_future(self.sources.followed.ask(work, *args, **more))
            kept = self._kept[key] = now_s, task
        found: T = await asyncio.shield(kept[1])
        return found

    def index(self, partitions: Sequence[Partition]) -> ArticleIndex:
        """The articles by time and by words; made anew when the partition is another."""
        catalog = partitions[0].catalog
        if self._index is None or self._index.catalog is not catalog:
            self._index = ArticleIndex(catalog)
        return self._index

    def freshness(self) -> tuple[float, str]:
        """How old what is shown is, in s, and what is to be said about it."""
        followed = self.sources.followed
        if followed.error is not None:
            return 0.0, f"This page has stopped following the workers: {followed.error}"
        lags = followed.lag()
        age_s = max((lag.age_ms for lag in lags), default=0) / 1000
        if any(lag.cut_off_since_ms for lag in lags):
            return age_s, f"Kafka does not answer: what is shown is {span(age_s)} old."
        return age_s, f"What is shown is {span(age_s)} old." if age_s > OLD_S else ""
