"""Retrieval: the exact scan of int8 profiles against article vectors, before anything expensive is computed.

    affinity = scale * (mirror . vector) * 0.5 ** ((now - ref) / half_life)

It reads 68 bytes a user and is exact: no index, nobody left out. A profile's length is kept (not normalised), so the
affinity counts recent reads by their similarity to the article; against float16 it is off by at most
scale / 2 * |vector|_1 (tests/engine/test_retrieve.py). Works both ways: one article against many users, and many
users against all fresh articles.
"""

import numpy as np

from ..arrays import BoolArray, FloatArray, IndexArray
from .catalog import NO_SLOTS, Catalog
from .pairs import Pairs
from .profiles.interest import decay
from .profiles.store import Users


def affinities(users: Users, vectors: FloatArray, now_ms: int, half_life_ms: float) -> FloatArray:
    """(N, M) affinity of N users to M articles; vectors (M, 64) float32."""
    elapsed_ms = np.maximum(now_ms - users["interest_at_ms"], 0)
    worth = users["scale"] * decay(elapsed_ms, half_life_ms)
    scores: FloatArray = users["mirror"].astype(np.float32) @ vectors.T
    scores *= worth[:, None]
    return scores


def retrieve(
    users: Users,
    catalog: Catalog,
    slots: IndexArray,
    now_ms: int,
    *,
    half_life_ms: float,
    floor: float,
    keep: int,
    lifted: BoolArray | None = None,
) -> Pairs:
    """Pairs with an affinity of at least `floor`; per user at most `keep`, the nearest ones.

    Pairs that are `lifted`, (N, M), come on top of them, whatever their affinity.
    """
    if not (len(users) and len(slots)):
        return Pairs(users.take(NO_SLOTS), catalog, NO_SLOTS, np.empty(0, np.float32))
    scores = affinities(users, catalog["vector"][slots], now_ms, half_life_ms)
    if lifted is not None:
        who, which = np.nonzero(_near_enough(np.where(lifted, -np.inf, scores), floor, keep) | lifted)
        return Pairs(users.take(who), catalog, slots[which], scores[who, which])
    if scores.shape[1] > keep:
        nearest = np.argpartition(-scores, keep - 1, axis=1)[:, :keep]
        nearest.sort(axis=1)  # slot order: which of two equals comes first does not depend on the partition step
        scores = np.take_along_axis(scores, nearest, axis=1)
    else:
        nearest = np.broadcast_to(np.arange(scores.shape[1]), scores.shape)
    who, which = np.nonzero(scores >= floor)
    return Pairs(users.take(who), catalog, slots[nearest[who, which]], scores[who, which])


def _near_enough(scores: FloatArray, floor: float, keep: int) -> BoolArray:
    """Which pairs are among the `keep` nearest of their user and reach the floor, (N, M)."""
    if scores.shape[1] <= keep:
        return np.asarray(scores >= floor)
    nearest = np.argpartition(-scores, keep - 1, axis=1)[:, :keep]
    near = np.zeros(scores.shape, np.bool_)
    np.put_along_axis(near, nearest, np.take_along_axis(scores, nearest, axis=1) >= floor, axis=1)
    return near
