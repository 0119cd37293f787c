"""Articles that have yet to meet everybody: new and updated ones, those postponed while pushes are held back, and those
whose embargo or future publication time ended. One queue, worked off a chunk of users at a time.

A restart must lose no meeting and need not remember the queue: two marks in the changelog say where it begins.

    met_until(cursor)      every version before this offset of `catalog` has met everybody, or will when its time comes
    opened_until(looked)   every article whose time came before this moment has met everybody

What stands behind the marks meets everybody again. That is harmless: the row says who already has it.
"""

from collections.abc import Iterator
from typing import NamedTuple

from ..engine.control import Target
from ..models.serving import Lineup


class _Waiting(NamedTuple):
    offset: int | None  # in `catalog`; None: it waits only because its time came
    opened_ms: int | None  # times that came after this one were looked for when it was found
    reopened: Target | None = None  # what was lifted, and had kept it back (steering.py, which logs it)


class ArticleQueue:
    """Articles that have yet to meet everybody, in order of arrival; each once, as its newest version."""

    def __init__(self) -> None:
        self.start = 0  # the first user whom the head has not met
        self.lineup: Lineup | None = None  # one for the whole article, whatever is promoted meanwhile
        self._waiting: dict[str, _Waiting] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def __iter__(self) -> Iterator[str]:
        """The ids of the articles that wait, in the order in which they will meet readers."""
        return iter(self._waiting)

    def published(self, article_id: str, offset: int) -> None:
        """Queue a version of an article from this offset of `catalog`; one that is on its way begins anew."""
        self._enter(article_id, self._of(article_id)._replace(offset=offset))

    def opened(self, article_id: str, since_ms: int) -> None:
        """Queue an article whose embargo or publication time ended after `since_ms` (policy time)."""
        self._enter(article_id, self._of(article_id)._replace(opened_ms=since_ms))

    def reopened(self, article_id: str, target: Target) -> None:
        """Queue an article that was held, or of a stopped category, and is not any more."""
        self._enter(article_id, self._of(article_id)._replace(reopened=target))

    def reopened_targets(self) -> set[Target]:
        """What was lifted and has articles that have yet to meet everybody again."""
        return {one.reopened for one in self._waiting.values() if one.reopened is not None}

    def head(self) -> str | None:
        """Id of the article that is to meet the next users; None if the queue is empty."""
        return next(iter(self._waiting), None)

    def head_is_done(self) -> None:
        """Take the first article off the queue: it has met everybody, or is not to meet anybody any more."""
        self._waiting.pop(next(iter(self._waiting)))
        self._begin()

    def met_until(self, cursor: int) -> int:
        """Offset in `catalog` before which every article has met everybody; what lies before `cursor` is applied."""
        return min([cursor, *(one.offset for one in self._waiting.values() if one.offset is not None)])

    def opened_until(self, looked_ms: int) -> int:
        """Policy time before which every article that opened has met everybody; `looked_ms`: of the last look."""
        return min([looked_ms, *(one.opened_ms for one in self._waiting.values() if one.opened_ms is not None)])

    def _of(self, article_id: str) -> _Waiting:
        return self._waiting.get(article_id, _Waiting(None, None))

    def _enter(self, article_id: str, waiting: _Waiting) -> None:
        if article_id == self.head():
            self._begin()
        self._waiting[article_id] = waiting

    def _begin(self) -> None:
        self.start, self.lineup = 0, None
