"""Keys that events may wait for: none is missed, and few more are held than wait."""

import numpy as np

from streamrec.engine.profiles.store import ProfileStore
from streamrec.partition.unknown_articles import AT_LEAST, UnknownArticles

WAIT = 2 * AT_LEAST  # keys in rows


def store_of_waiting() -> ProfileStore:
    """Rows in which events on articles 1, 2, ... wait, four a row."""
    store = ProfileStore()
    store.rows_of([f"u{number}" for number in range(WAIT // 4)], [1] * (WAIT // 4))
    store["waiting"]["article"] = np.arange(1, WAIT + 1).reshape(-1, 4)
    return store


def keys(first: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.uint32]]:
    """So many keys."""
    return np.arange(first, first + count, dtype=np.uint32)


def test_an_article_is_awaited_until_it_comes() -> None:
    """Once; one nobody named is not, nor is the empty place of a row."""
    awaited, store = UnknownArticles(), ProfileStore()
    store.rows_of(["ann"], [1])
    awaited.add(keys(1, 3), store)
    assert [awaited.take(key) for key in (2, 2, 4)] == [True, False, False]
    assert len(awaited) == 2
    awaited.count(store)
    assert not awaited.take(0)
    assert len(awaited) == 0


def test_what_waits_in_rows_is_never_missed() -> None:
    """However much else came and was let go."""
    awaited, store = UnknownArticles(), store_of_waiting()
    for first in range(1, 20_001, 500):
        awaited.add(keys(first, 500), store)
        assert len(awaited) <= 2 * WAIT
    assert all(awaited.take(key) for key in range(1, WAIT + 1))


def test_rows_are_counted_when_twice_as_much_is_held() -> None:
    """Not before: to search them costs more than to hold some keys too many."""
    awaited, store = UnknownArticles(), store_of_waiting()
    awaited.count(store)
    awaited.add(keys(WAIT + 1, WAIT), store)
    assert len(awaited) == 2 * WAIT
    awaited.add(keys(2 * WAIT + 1, 1), store)
    assert len(awaited) == WAIT
    few = UnknownArticles()
    few.add(keys(1, AT_LEAST), ProfileStore())
    assert len(few) == AT_LEAST
    few.add(keys(AT_LEAST + 1, 1), ProfileStore())
    assert len(few) == 0
