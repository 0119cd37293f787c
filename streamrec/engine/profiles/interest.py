"""Interest: a decayed sum of what somebody read, exact in any order of arrival.

    interest' = interest * 0.5 ** ((ref' - ref) / half_life) + weight * vector * 0.5 ** ((ref' - at) / half_life)
    ref'      = max(ref, at)

The sum is kept unnormalised and valued at its own reference time `ref`, so a late event is worth what it would have
been worth in time: the update is commutative up to the rounding of float16 (relative 2**-11 a step).
The same formula serves the vector and the category and source affinities. A search has a vector, and neither of these.
"""

import numpy as np

from ...arrays import ByteArray, DoubleArray, FloatArray, IndexArray, IntArray
from .store import ProfileStore


def decay(elapsed_ms: IntArray | DoubleArray, half_life_ms: float) -> FloatArray:
    """0.5 ** (elapsed / half_life), (N,) float32; elapsed >= 0 in ms."""
    return np.exp2(-elapsed_ms / half_life_ms).astype(np.float32)


def after_read(
    store: ProfileStore,
    rows: IndexArray,  # (N,) each row at most once
    at_ms: IntArray,  # (N,)
    weight: FloatArray,  # (N,) negative for dislike
    vectors: FloatArray,  # (N, 64)
    category: ByteArray | None,  # (N,); None: no affinity grows
    source: ByteArray | None,  # (N,)
    half_life_ms: float,
) -> None:
    """Profiles after one event each. Several events of one user: call once per event, in order."""
    columns = store.columns
    ref_ms = columns["interest_at_ms"][rows]
    new_ref_ms = np.maximum(ref_ms, at_ms)
    keep = decay(new_ref_ms - ref_ms, half_life_ms)[:, None]
    gain = (weight * decay(new_ref_ms - at_ms, half_life_ms)).astype(np.float32)
    every = np.arange(len(rows))
    for name, addition in (("category_affinity", category), ("source_affinity", source)):
        affinity = columns[name][rows].astype(np.float32) * keep
        if addition is not None:
            affinity[every, addition] += gain
        columns[name][rows] = affinity
    columns["interest"][rows] = columns["interest"][rows].astype(np.float32) * keep + gain[:, None] * vectors
    columns["interest_at_ms"][rows] = new_ref_ms


def rounds(rows: IndexArray) -> list[IndexArray]:
    """Positions grouped so that each group names a row at most once, and each row's positions keep their order.

    `a[rows] += v` would drop repeated rows; summing them first would round differently with each split of a batch.
    One group per repetition makes a batch equal to its events one by one, to the bit.
    """
    order = np.argsort(rows, kind="stable")
    ranked = rows[order]
    another = np.ones(len(rows), np.bool_)
    np.not_equal(ranked[1:], ranked[:-1], out=another[1:])
    if another.all():
        return [np.arange(len(rows))] if len(rows) else []
    starts = np.flatnonzero(another)
    lengths = np.diff(starts, append=len(rows))
    nth = np.empty(len(rows), np.intp)
    nth[order] = np.arange(len(rows)) - np.repeat(starts, lengths)
    return [np.flatnonzero(nth == k) for k in range(int(nth.max()) + 1)]
