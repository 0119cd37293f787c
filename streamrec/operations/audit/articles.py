"""Articles as an auditor needs them: from one partition of `catalog`, since all have the same."""

from collections import Counter
from collections.abc import Sequence

from ...contracts.article import AnalysedArticle
from ...contracts.decode import Origin, Typed, decode_catalog
from ...contracts.ids import key_of
from ...contracts.records import Record


class Articles:
    """Take every record of the partition, in order."""

    def __init__(self) -> None:
        self._versions: dict[str, list[AnalysedArticle]] = {}  # by article, as far as compaction has left them

    def take(self, records: Sequence[Record]) -> None:
        """Take some records in, in order."""
        for item in decode_catalog(records, Origin("catalog", 0)):
            if isinstance(item, Typed):
                self._versions.setdefault(item.value.article_id, []).append(item.value)

    def certain(self) -> dict[int, AnalysedArticle]:
        """Those of which there was no other version, which may have had another audience, source or words.

        By the key that pushes name them by; none that shares its key.
        """
        return {key: versions[0] for key, versions in self._whole().items() if len(versions) == 1}

    def addressed(self) -> dict[int, list[AnalysedArticle]]:
        """All versions, in order, of those with an audience in one of them, where none was compacted away; by key."""
        return {key: versions for key, versions in self._whole().items() if any(one.audience for one in versions)}

    def _whole(self) -> dict[int, list[AnalysedArticle]]:
        keys = [key_of(article_id) for article_id in self._versions]
        times = Counter(keys)
        return {
            key: versions
            for key, versions in zip(keys, self._versions.values(), strict=True)
            if times[key] == 1 and versions[0].first_known_at_ms in {0, versions[0].known_at_ms}
        }
