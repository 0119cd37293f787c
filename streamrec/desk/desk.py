"""What all pages of the desk share: the followed state and where forms go, with answers kept for a moment.

Ten editors who watch the same figures cost what one does: an answer is kept for a second, and who asks for the same
while it is being found waits for it.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar, TypeVarTuple
from uuid import uuid4

from ..clock import monotonic_s
from ..contracts.article import AnalysedArticle
from ..contracts.control import Command
from ..follower.stepwise import AsOf
from ..operations.pseudonyms import Pseudonyms
from ..partition.partition import Partition
from .access.person import Person
from .approvals import Awaited, awaited
from .articles import ArticleIndex
from .frame import Frame
from .sources import Sources
from .words import Times, span

Ts = TypeVarTuple("Ts")
T = TypeVar("T")
KEPT_S = 1.0
SECTIONS_KEPT_S = 30.0
OLD_S = 10.0  # figures older than this are marked


class _Kept(NamedTuple):
    answer: asyncio.Future[Any]
    until_s: float

    def holds(self, now_s: float) -> bool:
        """Whether it is still being found, or was a moment ago."""
        return not self.answer.done() or (now_s < self.until_s and self.answer.exception() is None)


class Desk:
    """See above."""

    def __init__(self, sources: Sources, frame: Frame, times: Times, pseudonyms: Pseudonyms, two_persons: str) -> None:
        self.sources, self.frame, self.times, self._two_persons = sources, frame, times, two_persons
        self.pseudonyms = pseudonyms
        self._kept: dict[object, _Kept] = {}
        self._sections: list[str] = []
        self._sections_until_s = 0.0
        self._index: ArticleIndex | None = None

    async def seen(
        self, key: object, work: Callable[[Sequence[Partition], *Ts], T], *args: *Ts, kept_s: float = KEPT_S
    ) -> AsOf[T]:
        """What `work` finds in the partitions, and as of when; asked at most `kept_s` ago for the same key."""
        now_s, kept = monotonic_s(), self._kept.get(key)
        if kept is None or not kept.holds(now_s):
            self._kept = {one: value for one, value in self._kept.items() if value.holds(now_s)}
            task = asyncio.ensure_future(self.sources.followed.ask(work, *args))
            kept = self._kept[key] = _Kept(task, now_s + kept_s)
        found: AsOf[T] = await asyncio.shield(kept.answer)
        return found

    def forget(self) -> None:
        """Keep no answer: whoever asks next asks the partitions."""
        self._kept.clear()

    def index(self, partitions: Sequence[Partition]) -> ArticleIndex:
        """The articles by time and by words; made anew when the partition is another."""
        catalog = partitions[0].catalog
        if self._index is None or self._index.catalog is not catalog:
            self._index = ArticleIndex(catalog)
        return self._index

    def sections(self) -> list[str]:
        """The sections that articles are in; looked for now and then."""
        if monotonic_s() > self._sections_until_s:
            articles = self.sources.followed.partitions[0].catalog.articles
            self._sections = sorted({article.category for article in articles if article and article.category})
            self._sections_until_s = monotonic_s() + SECTIONS_KEPT_S
        return self._sections

    def title_of(self, article_id: str) -> str:
        """The title of an article; of one that is not known its id."""
        catalog = self.sources.followed.partitions[0].catalog
        slot = catalog.slot(article_id)
        article = None if slot is None else catalog.articles[slot]
        return article.title if article else article_id

    def awaited(self, articles: Sequence[AnalysedArticle]) -> list[Awaited]:
        """Those of these articles that wait for a second person."""
        return awaited(articles, self.sources.trail.state, self._two_persons)

    async def publish(self, said: dict[str, Any], analysed: AnalysedArticle, person: Person) -> bool:
        """Publish an article, of which this is what workers make; whether it waits for a second person.

        Whoever sends it is the first of the two. That is said before, so that nothing is out of which it is not known.
        """
        waits = bool(self.awaited([analysed]))
        if waits:
            at_ms, why, article_id = self.sources.trail.moment_ms(), "sent it at the desk", analysed.article_id
            await self.sources.say(
                Command("approve", person.name, why, at_ms, uuid4().hex, article_id, digest=analysed.digest)
            )
        await self.sources.publish(said)
        return waits

    def trouble(self) -> str:
        """What is to be said of how old all is that is shown; nothing where it is fresh."""
        followed = self.sources.followed
        if followed.error is not None:
            return f"This page has stopped following the workers: {followed.error}"
        lags = followed.lag()
        age_s = max((lag.age_ms for lag in lags), default=0) / 1000
        if any(lag.cut_off_since_ms for lag in lags):
            return f"Kafka does not answer: what is shown is {span(age_s)} old."
        return f"What is shown is {span(age_s)} old." if age_s > OLD_S else ""
