"""Audiences under way: how many have it, how many are left, how fast it goes and when it will be done.

Where a push goes to an audience, its pace matters: while it runs it can still be stopped. What is left is counted by
asking who would get it now; the pace is that of the last looks.
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..contracts.article import AnalysedArticle
from ..contracts.ids import key_of
from ..follower.funnel import funnel
from ..partition.partition import Partition
from .figures import reach

MOST = 5  # audiences that are shown, the latest
PACE_MS = 20_000  # a pace is that of so long
RECENT_MS = 6 * 3_600_000  # an audience of before has met whoever it could meet


class Underway(NamedTuple):
    """One article that has an audience."""

    article: AnalysedArticle
    pushed: int
    left: int  # readers who would get it now
    per_s: float
    eta_s: float | None  # None: it stands still
    widens_ms: int  # when the rest of the audience comes in; 0: it is in


class Audiences:
    """Remembers what was pushed at earlier looks."""

    def __init__(self) -> None:
        self._looks: dict[str, deque[tuple[int, int]]] = {}

    def underway(self, partitions: Sequence[Partition], at_ms: int) -> list[Underway]:
        """The latest audiences that are not done, or were reached a short while ago."""
        catalog = partitions[0].catalog
        since = catalog.opens_ms()
        chosen = np.flatnonzero(
            catalog["live"] & catalog["addressed"] & ~catalog["withdrawn"] & (since > at_ms - RECENT_MS)
        )
        latest = chosen[np.argsort(-since[chosen], kind="stable")][:MOST]
        articles = [article for slot in latest.tolist() if (article := catalog.articles[slot])]
        keys = [key_of(article.article_id) for article in articles]
        reached = np.sum([reach(partition.profiles, keys) for partition in partitions], axis=0).tolist()
        found = [self._one(partitions, *each, at_ms) for each in zip(articles, reached, strict=True)]
        self._looks = {one.article.article_id: self._looks[one.article.article_id] for one in found}
        return found

    def _one(self, partitions: Sequence[Partition], article: AnalysedArticle, pushed: int, at_ms: int) -> Underway:
        looks = self._looks.setdefault(article.article_id, deque())
        looks.append((at_ms, pushed))
        while len(looks) > 1 and looks[0][0] < at_ms - PACE_MS:
            looks.popleft()
        seconds = (at_ms - looks[0][0]) / 1000
        per_s = (pushed - looks[0][1]) / seconds if seconds else 0.0
        left = funnel(partitions, article.article_id, at_ms).would_push
        widens_ms = article.widens_at_ms if article.widens_at_ms > at_ms else 0
        return Underway(article, pushed, left, per_s, left / per_s if per_s > 0 else None, widens_ms)
