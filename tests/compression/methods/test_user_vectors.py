"""Stored user vectors keep their bounds, and what the ranker sees of them is what serving would compute."""

import numpy as np
import pytest
from benches import HELD_OUT
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from making import DAY, HOUR, T0, Feed, article, click, partition

from streamrec.arrays import FloatArray
from streamrec.compression.methods.user_vectors import BYTES_PER_USER, Form, sq8, stored, with_user_vectors
from streamrec.engine.features.features import features
from streamrec.engine.pairs import Pairs
from streamrec.engine.profiles.store import Users
from streamrec.partition.partition import Partition
from streamrec.training.rows import Rows

vectors = arrays(np.float32, (3, 64), elements=st.floats(-1e3, 1e3, width=32))


@given(u=vectors, c=vectors)
def test_sq8_keeps_its_bounds(u: FloatArray, c: FloatArray) -> None:
    """|u - u'| <= scale / 2, and the dot product moves at most scale / 2 * sum |c|."""
    scale = np.abs(u.astype(np.float64)).max(axis=1, keepdims=True) / 127
    error = np.abs(u.astype(np.float64) - stored(u, "sq8"))
    assert (error <= scale / 2 * (1 + 1e-4) + 1e-30).all()
    dots = np.abs(((u.astype(np.float64) - stored(u, "sq8")) * c).sum(axis=1))
    assert (dots <= scale[:, 0] / 2 * np.abs(c).sum(axis=1) * (1 + 1e-4) + 1e-30).all()


@given(u=vectors)
def test_fp16_keeps_its_bound(u: FloatArray) -> None:
    """|u - u'| <= 2**-11 |u|, or 2**-25 for the smallest."""
    assert (np.abs(u - stored(u, "fp16")) <= np.maximum(2.0**-11 * np.abs(u), 2.0**-25)).all()


@given(u=vectors)
def test_bytes_per_user_are_bytes(u: FloatArray) -> None:
    """Counted on what is stored."""
    assert sum(part.nbytes for part in sq8(u)) / len(u) == BYTES_PER_USER["sq8"]
    assert u.astype(np.float16).nbytes / len(u) == BYTES_PER_USER["fp16"]
    assert u.nbytes / len(u) == BYTES_PER_USER["fp32"]


def read(state: Partition) -> Rows:
    """All users of a partition with all its articles, one impression each, a day later."""
    users, articles = len(state.profiles), 6
    rows, slots = np.repeat(np.arange(users), articles), np.tile(np.arange(articles), users)
    pairs = Pairs(Users(state.profiles, rows), state.catalog, slots, np.zeros(len(slots), np.float32))
    table = Rows.of_features(features(pairs, T0 + 30 * HOUR, DAY), slots == 0, rows)
    return table._replace(article=np.arange(len(slots)), vectors=np.asarray(pairs.article("vector")))


@pytest.mark.parametrize("form", ["fp16", "sq8"])
def test_rows_are_what_serving_would_compute(form: Form) -> None:
    """All columns against the feature function itself, on a store whose vectors went through the same rounding."""
    state = partition(daily_cap=0)
    feed = Feed(state)
    feed.articles(*[article(f"a{i}") for i in range(6)])
    feed.events(*[click(f"u{i % 4}", f"a{i % 5}", at_ms=T0 + i * HOUR) for i in range(12)], now_ms=T0 + 12 * HOUR)
    before = read(state)
    interest = state.profiles["interest"]
    interest[:] = stored(interest.astype(np.float32), form)
    seen = with_user_vectors(before, form)
    served = read(state)
    # the store holds float16, so what SQ8 gives back is rounded once more there
    np.testing.assert_allclose(seen.x, served.x, atol=2e-3)
    if form == "sq8":
        assert np.abs(seen.x - before.x).max() > 1e-4


def test_full_precision_changes_nothing() -> None:
    """And shares the array."""
    assert with_user_vectors(HELD_OUT, "fp32") is HELD_OUT
