"""Articles read a second time, plainly: which a partition knows, with no code of engine/catalog.py."""

import zlib
from typing import NamedTuple

from ...contracts.article import AnalysedArticle
from ...settings import Settings


class Arrived(NamedTuple):
    """A version of an article, and when the partition took it in."""

    article: AnalysedArticle
    now_ms: int


def key(of: str) -> int:
    """The number by which stored formats name an article or a zone: CRC-32 of its name."""
    return zlib.crc32(of.encode()) or 1


class Articles:
    """What is known, in the order in which it became known."""

    def __init__(self, settings: Settings) -> None:
        self._most, self._keep_ms = settings.max_articles, settings.vector_days * 86_400_000
        self.by_id: dict[str, AnalysedArticle] = {}
        self._known_ms: dict[str, int] = {}  # since when

    def take(self, arrived: Arrived) -> None:
        """An older version changes nothing; without versions the one that comes last counts."""
        new, known = arrived.article, self.by_id.get(arrived.article.article_id)
        if known is None:
            self._forget(arrived.now_ms)
        if known is None or (new.digest != known.digest and new.version >= known.version):
            self.by_id[new.article_id] = new
            since_ms = (new.first_known_at_ms or new.known_at_ms) // 1000 * 1000
            self._known_ms[new.article_id] = min(since_ms, self._known_ms.get(new.article_id, since_ms))

    def _forget(self, now_ms: int) -> None:
        """The first to come leave while they are old or too many; those whose time is to come go behind the others."""
        for article_id, article in [*self.by_id.items()]:
            opens_ms = max(article.published_at_ms, article.embargo_until_ms)
            is_old = max(opens_ms, self._known_ms[article_id]) < now_ms - self._keep_ms
            if opens_ms > now_ms:
                self.by_id[article_id] = self.by_id.pop(article_id)
            elif is_old or len(self.by_id) >= self._most:
                del self.by_id[article_id], self._known_ms[article_id]
            else:
                return
