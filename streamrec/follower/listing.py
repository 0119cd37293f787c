"""Articles as the catalogs of followed partitions hold them, for people who look for one."""

from collections.abc import Sequence

import msgspec
import numpy as np

from ..contracts.article import AnalysedArticle
from ..engine.catalog import Catalog
from ..engine.profiles.layout import PUSHED
from ..partition.partition import Partition


class Listed(msgspec.Struct, frozen=True):
    """One article of the catalogs; counts are over the followed partitions."""

    article_id: str
    version: int
    status: str
    title: str
    category: str
    language: str
    story_id: str
    published_at_ms: int
    embargo_until_ms: int
    expires_at_ms: int
    breaking: int
    readers: int  # who have it among their recent reads


def listed(partitions: Sequence[Partition], most: int, matching: str = "") -> list[Listed]:
    """The newest articles, at most so many; `matching`: only those with this in id or title, whatever its case.

    Every partition gets every article, so one catalog is looked through.
    """
    catalog, text, found = partitions[0].catalog, matching.casefold(), list[Listed]()
    newest_first = np.argsort(-catalog["published_ms"], kind="stable")
    for slot in newest_first[catalog["live"][newest_first]].tolist():
        article = catalog.articles[slot]
        if article is not None and (text in article.article_id.casefold() or text in article.title.casefold()):
            found.append(_listed(article, [partition.catalog for partition in partitions]))
            if len(found) == most:
                break
    return found


def newest(partitions: Sequence[Partition], article_id: str) -> AnalysedArticle | None:
    """The newest version that a followed partition knows; None if none does."""
    found = [
        article
        for partition in partitions
        if (slot := partition.catalog.slot(article_id)) is not None
        and (article := partition.catalog.articles[slot]) is not None
    ]
    return max(found, key=lambda article: article.version, default=None)


def pushed_to(partition: Partition, article_id: str) -> int:
    """How many readers' rows name the article as pushed."""
    slot, profiles = partition.catalog.slot(article_id), partition.profiles
    if slot is None:
        return 0
    named = (profiles["seen"] == partition.catalog["key"][slot]) & ((profiles["seen_acts"] & PUSHED) > 0)
    return int(np.count_nonzero(named))


def _listed(article: AnalysedArticle, catalogs: Sequence[Catalog]) -> Listed:
    slots = [(catalog, catalog.slot(article.article_id)) for catalog in catalogs]
    readers = sum(int(catalog["readers"][slot]) for catalog, slot in slots if slot is not None)
    given = {name: getattr(article, name) for name in Listed.__struct_fields__ if name != "readers"}
    return Listed(**given, readers=readers)
