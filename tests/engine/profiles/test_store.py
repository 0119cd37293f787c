"""The column store: rows in and out, growth, mirror, memory."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from streamrec.engine.profiles.layout import ROW, descr
from streamrec.engine.profiles.store import ProfileStore, Users

IDS = st.lists(st.text(min_size=1, max_size=12), min_size=1, max_size=60)


def filled(user_ids: list[str], seed: int = 0) -> ProfileStore:
    """A store whose rows are random but for the ids."""
    store = ProfileStore(2)
    rng = np.random.default_rng(seed)
    rows = store.rows_of(user_ids, [1] * len(user_ids))
    store.columns["interest"][rows] = rng.normal(size=(len(rows), 64))
    store.columns["n_reads"][rows] = rng.integers(0, 99, len(rows))
    store.columns["pushed_at_s"][rows] = rng.integers(1, 2**31, (len(rows), 8))
    store.mirror_rows(np.unique(rows))
    return store


@given(IDS)
def test_row_survives_the_log(user_ids: list[str]) -> None:
    """What is written to the changelog is what comes back, field by field, for any user id."""
    store = filled(user_ids)
    restored = ProfileStore(2)
    restored.restore(store.encode(np.arange(len(store))))
    assert set(restored.users) == set(store.users)
    order = np.array([restored.row(user) for user in store.users])
    for name in ROW.names or ():
        assert restored[name][order].tobytes() == store[name].tobytes(), name
    assert (restored["mirror"][order] == store["mirror"]).all()


@given(IDS, IDS)
def test_rows_never_move(first: list[str], second: list[str]) -> None:
    """A user keeps the row of the first appearance, also when columns grow."""
    store = ProfileStore(2)
    before = dict(zip(first, store.rows_of(first, [1] * len(first)).tolist(), strict=True))
    store.rows_of(second, [1] * len(second))
    assert all(store.row(user) == row for user, row in before.items())
    assert len(store) == len({*first, *second})


def test_last_value_of_a_key_counts() -> None:
    """Recovery reads a log that still holds older rows."""
    store = filled(["a"])
    old = store.encode(np.array([0]))
    store.columns["n_reads"][0] = 777
    new = store.encode(np.array([0]))
    restored = ProfileStore()
    restored.restore([*old, *new])
    assert restored["n_reads"].tolist() == [777]
    gone = ProfileStore()
    gone.restore([*old, (b"a", None), (b"b", None)])
    assert (gone.users, list(gone)) == ([], [])


def test_row_fits_in_512_bytes() -> None:
    """The changelog row stays within its target, and the published layout describes it byte for byte."""
    assert ROW.itemsize <= 512
    fields: list[Any] = descr()
    rebuilt = np.dtype(
        [
            (name, np.dtype([tuple(part) for part in kind]) if isinstance(kind, list) else kind, tuple(shape))
            for name, kind, shape in fields
        ]
    )
    assert rebuilt.itemsize == ROW.itemsize
    assert rebuilt.names == ROW.names


def test_mirror_is_within_half_a_step() -> None:
    """|interest - mirror * scale| <= scale / 2: the bound the exact scan builds on."""
    store = filled([f"u{i}" for i in range(50)])
    error = np.abs(store["interest"].astype(np.float32) - store["mirror"] * store["scale"][:, None])
    assert (error <= store["scale"][:, None] / 2 + 1e-6).all()


def test_users_select_rows() -> None:
    """A selection of a selection counts within the first."""
    store = filled([f"u{i}" for i in range(10)])
    some = Users(store, slice(4, 9)).take(np.array([1, 3]))
    assert some.indices().tolist() == [5, 7]
    assert (some["n_reads"] == store["n_reads"][[5, 7]]).all()


def test_everybody_is_everybody_but_nobody() -> None:
    """Of each range of rows: those who were forgotten are left out, all others are there."""
    store = filled([f"u{i}" for i in range(10)])
    assert store.everybody(3, 8).indices().tolist() == [3, 4, 5, 6, 7]
    store.forget(np.array([1, 5]))
    assert store.everybody(0, 3).indices().tolist() == [0, 2]
    assert store.everybody(3, 8).indices().tolist() == [3, 4, 6, 7]
