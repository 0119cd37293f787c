"""Articles as an auditor needs them: from one partition of `catalog`, since all have the same.

One of which there was another version is left out: that may have had another audience, source or words.
"""

from collections import Counter
from collections.abc import Sequence

from ...contracts.article import AnalysedArticle
from ...contracts.decode import Origin, Typed, decode_catalog
from ...contracts.ids import key_of
from ...contracts.records import Record


class Articles:
    """Take every record of the partition, in order."""

    def __init__(self) -> None:
        self._articles: dict[str, AnalysedArticle | None] = {}  # None: it had another version

    def take(self, records: Sequence[Record]) -> None:
        """Take some records in, in order."""
        for item in decode_catalog(records, Origin("catalog", 0)):
            if isinstance(item, Typed):
                article = item.value
                is_first = article.article_id not in self._articles
                only = is_first and article.first_known_at_ms in {0, article.known_at_ms}
                self._articles[article.article_id] = article if only else None

    def certain(self) -> dict[int, AnalysedArticle]:
        """The articles that can be judged, by the key that pushes name them by; none that shares its key."""
        keys = [key_of(article_id) for article_id in self._articles]
        times = Counter(keys)
        return {
            key: article
            for key, article in zip(keys, self._articles.values(), strict=True)
            if article is not None and times[key] == 1
        }
