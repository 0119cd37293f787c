"""Rows of another space: the old rows, with interests that were learned anew.

    row' = row, but
        interest'  = learned interest * 0.5 ** ((ref - learned ref) / half_life)    valued at the old row's time
        waiting'   = waiting, without articles the new catalog knows: those events are in the learned interest

Everything else is the old row to the bit: what was pushed and when, caps, consent, quiet hours, reads, affinities by
category. So nobody is pushed twice, and an opt-out older than the retention of `events` still holds. What is lost is
interest in articles that are no longer in `articles`, or whose events are no longer in `events`.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from ..profiles.interest import decay
from ..profiles.layout import ROW
from ..profiles.store import ProfileStore


def carried(
    rows: Mapping[bytes, bytes], learned: ProfileStore, known: npt.NDArray[np.uint32], half_life_ms: float
) -> dict[bytes, bytes]:
    """New rows by user; `known` (A,) are the keys of the articles the new catalog knows."""
    if not rows:
        return {}
    packed = np.frombuffer(b"".join(rows.values()), ROW).copy()  # (N,)
    at = np.array([-1 if (row := learned.row(key.decode())) is None else row for key in rows], np.intp)
    there = np.flatnonzero(at >= 0)
    interest = np.zeros(packed["interest"].shape, np.float32)  # (N, D)
    elapsed_ms = packed["interest_at_ms"][there] - learned["interest_at_ms"][at[there]]
    worth = decay(np.maximum(elapsed_ms, 0), half_life_ms)[:, None]
    interest[there] = learned["interest"][at[there]].astype(np.float32) * worth
    packed["interest"] = interest
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
