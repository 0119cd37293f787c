"""The list of articles: newest first, searched by their words, without slowing where there are a hundred thousand.

Every partition has the same catalog; the first one's is read. Words are folded once a version, so a search is one pass
over texts in memory. Order and page come from numpy columns.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..arrays import IndexArray
from ..contracts.article import AnalysedArticle
from ..engine.catalog import Catalog

PAGE = 50  # articles


class ArticlePage(NamedTuple):
    """Some of the articles found, and where they stand among all."""

    articles: list[AnalysedArticle]
    found: int
    page: int  # from 1
    pages: int


class ArticleIndex:
    """The articles of a catalog by time and by words. Slots are reused, so a text belongs to a slot and a digest."""

    def __init__(self, catalog: Catalog) -> None:
        self.catalog = catalog
        self._texts: dict[int, tuple[AnalysedArticle, str]] = {}  # slot -> article, folded words

    def page(self, query: str, number: int) -> ArticlePage:
        """A page of the articles in which each word of the query stands; a page that is not there is the nearest."""
        catalog = self.catalog
        live = np.flatnonzero(catalog["live"])
        newest = live[np.argsort(-catalog["published_ms"][live], kind="stable")]
        found = self._matching(newest, query.casefold().split()) if query.strip() else newest
        pages = max(1, -(-len(found) // PAGE))
        number = min(max(1, number), pages)
        shown = found[(number - 1) * PAGE : number * PAGE].tolist()
        return ArticlePage([a for a in (catalog.articles[slot] for slot in shown) if a], len(found), number, pages)

    def find(self, article_id: str) -> AnalysedArticle | None:
        """The newest version of an article; None if the window does not hold it."""
        slot = self.catalog.slot(article_id)
        return None if slot is None else self.catalog.articles[slot]

    def _matching(self, slots: IndexArray, words: Sequence[str]) -> IndexArray:
        text = self._text
        return np.array([slot for slot in slots.tolist() if all(word in text(slot) for word in words)], np.intp)

    def _text(self, slot: int) -> str:
        article = self.catalog.articles[slot]
        kept = self._texts.get(slot)
        if kept is not None and kept[0] is article:
            return kept[1]
        assert article is not None  # the slot is live
        text = f"{article.title}\n{article.article_id}\n{article.category}\n{article.source}".casefold()
        self._texts[slot] = article, text
        return text
