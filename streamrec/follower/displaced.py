"""What a push costs its readers: other pushes that the cap and the minimum interval then keep from them.

Articles that are out have met everybody who was open; so what a reader can lose is what still comes: an article under
embargo that opens within the interval, or a fresh one for a reader who is still waiting.
"""

from collections import Counter

import msgspec
import numpy as np

from ..arrays import FloatArray, IndexArray
from ..contracts.article import AnalysedArticle
from ..decide import decide
from ..engine.policy.config import Policy
from ..engine.policy.gates.daily_cap import DAY_S
from ..engine.profiles.layout import NO_CAP
from ..engine.profiles.store import Users
from ..models.serving import lineup_of
from ..partition.partition import Partition

MOST = 20  # articles to come that are looked at, the next to open


class Displaced(msgspec.Struct, frozen=True):
    """Readers who lose another push by this one."""

    last_of_the_day: int  # it fills their daily cap
    better: int  # readers who lose an article that is likelier to be clicked
    articles: dict[str, int]  # the articles that readers lose by it, and how many do

    def plus(self, other: "Displaced") -> "Displaced":
        """Of two partitions together."""
        articles = Counter(self.articles) + Counter(other.articles)
        return Displaced(
            self.last_of_the_day + other.last_of_the_day, self.better + other.better, dict(articles.most_common())
        )


def displaced(
    partition: Partition, draft: AnalysedArticle, rows: IndexArray, scores: FloatArray, now_ms: int, policy: Policy
) -> Displaced:
    """What those readers of a partition lose to whom the draft would be pushed; `scores`: their P(click) of it."""
    if not len(rows):
        return Displaced(0, 0, {})
    columns, catalog, lost = partition.profiles.columns, partition.catalog, Counter[str]()
    cap = np.where(columns["daily_cap"][rows] == NO_CAP, policy.daily_cap, columns["daily_cap"][rows])
    today = (columns["pushed_at_s"][rows] > now_ms // 1000 - DAY_S).sum(axis=1)
    better = np.zeros(len(rows), np.bool_)
    score_of = np.zeros(len(partition.profiles), np.float32)
    score_of[rows] = scores
    at = np.zeros(len(partition.profiles), np.intp)
    at[rows] = np.arange(len(rows))
    waiting = rows[columns["due_at_s"][rows] > 0]
    other = [slot for slot in catalog.fresh(now_ms).tolist() if not _same(partition, slot, draft)]
    opening = catalog.opening(now_ms, now_ms + policy.min_interval_s * 1000)
    opens_ms = catalog.opens_ms()[opening]
    coming = [
        (rows, [slot], int(ms))
        for slot, ms in sorted(zip(opening.tolist(), opens_ms.tolist(), strict=True), key=lambda each: each[1])[:MOST]
        if not _same(partition, slot, draft)
    ]
    for readers, slots, ms in [(waiting, other, now_ms), *coming]:
        if not (len(readers) and slots):
            continue
        for predictor, mine in lineup_of(partition.context.ranker).shares(Users(partition.profiles, readers)):
            found = decide(mine, catalog, np.array(slots), ms, predictor, policy)
            lost.update(_ids(partition, found.slots))
            better[at[found.rows[found.relevance > score_of[found.rows]]]] = True
    return Displaced(int((today + 1 >= cap).sum()), int(better.sum()), dict(lost.most_common()))


def _same(partition: Partition, slot: int, draft: AnalysedArticle) -> bool:
    article = partition.catalog.articles[slot]
    return article is not None and draft.article_id == article.article_id


def _ids(partition: Partition, slots: IndexArray) -> Counter[str]:
    numbers, counts = np.unique(slots, return_counts=True)
    articles = (partition.catalog.articles[slot] for slot in numbers.tolist())
    return Counter(
        {article.article_id: count for article, count in zip(articles, counts.tolist(), strict=True) if article}
    )
