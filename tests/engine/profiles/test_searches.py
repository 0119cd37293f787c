"""The latest search a row remembers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamrec.engine.profiles.searches import AGAIN_S, after_search
from streamrec.engine.profiles.store import ProfileStore

WORDS = st.lists(st.integers(1, 5), min_size=1, max_size=4, unique=True).map(
    lambda some: (*sorted(some), *[0] * (4 - len(some)))
)
SEARCHES = st.lists(st.tuples(WORDS, st.integers(0, 5000)), min_size=1, max_size=8)
Search = tuple[tuple[int, ...], int]


def searched(store: ProfileStore, words: tuple[int, ...], at_s: int) -> bool:
    """One search of one user; whether it was the same again."""
    rows = store.rows_of(["ann"], [0])
    return bool(after_search(store, rows, np.array([words], np.uint32), np.array([at_s + 1]))[0])


@given(SEARCHES, st.randoms(use_true_random=False))
def test_the_latest_is_remembered_in_any_order(searches: list[Search], shuffled: object) -> None:
    """Of two in the same second the one whose words rank higher."""
    other = [*searches]
    getattr(shuffled, "shuffle")(other)  # noqa: B009 - hypothesis gives a random.Random
    stores = [ProfileStore(), ProfileStore()]
    for store, order in zip(stores, (searches, other), strict=True):
        for words, at_s in order:
            searched(store, words, at_s)
        latest = max(searches, key=lambda one: (one[1], one[0]))
        assert tuple(store["searched"][0].tolist()) == latest[0]
        assert store["searched_at_s"][0] == latest[1] + 1


def test_the_same_words_soon_after_are_the_same_search() -> None:
    """Before or after, within ten minutes; not later, and not in other words."""
    store = ProfileStore()
    assert not searched(store, (1, 2, 0, 0), 10_000)
    assert searched(store, (1, 2, 0, 0), 10_000)
    assert searched(store, (1, 2, 0, 0), 10_000 - AGAIN_S + 1)
    assert store["searched_at_s"][0] == 10_001
    assert searched(store, (1, 2, 0, 0), 10_000 + AGAIN_S - 1)
    assert not searched(store, (1, 2, 0, 0), 10_000 + 2 * AGAIN_S - 1)
    assert not searched(store, (1, 3, 0, 0), 20_000)
