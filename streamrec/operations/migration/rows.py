"""Rows of another space: the old rows, with interests that were learned anew.

    row' = row, but
        interest'  = learned interest * 0.5 ** ((ref - learned ref) / half_life)    valued at the old row's time
        waiting'   = waiting, without articles the new catalog knows: those events are in the learned interest
    and where categories have other slots, their affinities are learned like the interest; cooldowns and mutes as well

Everything else is the old row to the bit: what was pushed and when, caps, consent, quiet hours, reads. So nobody is
pushed twice, and an opt-out older than the retention of `events` still holds. What is lost is interest in articles that
are no longer in `articles`, or whose events are no longer in `events`.
"""

from collections.abc import Mapping

import numpy as np

from ...arrays import UIntArray
from ...engine.profiles.interest import decay
from ...engine.profiles.layout import ROW
from ...engine.profiles.store import ProfileStore

DECAYING = ("interest",)
DECAYING_BY_SLOT = ("category_affinity",)
BY_SLOT = ("negatives", "muted")


def carried(
    rows: Mapping[bytes, bytes],
    learned: ProfileStore,
    known: UIntArray,
    half_life_ms: float,
    slots_stay: bool = True,
) -> dict[bytes, bytes]:
    """New rows by user; `known` (A,) are the keys of the articles the new catalog knows."""
    if not rows:
        return {}
    packed = np.frombuffer(b"".join(rows.values()), ROW).copy()  # (N,)
    at = np.array([-1 if (row := learned.row(key.decode())) is None else row for key in rows], np.intp)
    there = np.flatnonzero(at >= 0)
    elapsed_ms = packed["interest_at_ms"][there] - learned["interest_at_ms"][at[there]]
    worth = decay(np.maximum(elapsed_ms, 0), half_life_ms)[:, None]
    for name in DECAYING if slots_stay else DECAYING + DECAYING_BY_SLOT:
        value = np.zeros(packed[name].shape, np.float32)  # (N, D)
        value[there] = learned[name][at[there]].astype(np.float32) * worth
        packed[name] = value
    for name in () if slots_stay else BY_SLOT:
        packed[name] = np.zeros((), packed[name].dtype)
        packed[name][there] = learned[name][at[there]]
    waiting = packed["waiting"]  # (N, W), a view
    counted = np.isin(waiting["article"], known) & (waiting["article"] > 0)
    for name in ("article", "at_s", "action"):
        waiting[name][counted] = 0
    data, size = packed.tobytes(), ROW.itemsize
    return {key: data[i * size : (i + 1) * size] for i, key in enumerate(rows)}


def without_interest(rows: Mapping[bytes, bytes]) -> int:
    """How many rows have no interest vector: their readers get nothing by content until they read again."""
    packed = np.frombuffer(b"".join(rows.values()), ROW)
    return int((~packed["interest"].any(axis=1)).sum())
