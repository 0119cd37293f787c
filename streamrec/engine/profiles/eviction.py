"""Who has been silent for so long that nothing of them need be kept, and what stays: what they said they want.

A user nothing was seen of for `profile_days` of the policy clock is forgotten: no row, no key in the log. Somebody who
opted out, or stated a preference, keeps a row in which only that stands. What one look forgets is bounded; the rest
waits for the next ones.
"""

import numpy as np

from ...arrays import IndexArray, UIntArray
from .history import NO_KEYS, reads_of
from .layout import CONSENT_OUT
from .store import ProfileStore

AT_ONCE = 4096  # users
HOUR_MS = 3_600_000


class Eviction:
    """Forgets silent users, some at each look; who they are is asked once an hour of the policy clock."""

    def __init__(self) -> None:
        self._more = False

    def evict(
        self, store: ProfileStore, looked_ms: int, now_ms: int, forget_after_s: int
    ) -> tuple[IndexArray, UIntArray]:
        """Forget who is silent. Rows that changed, and keys of articles whose reads are forgotten, one a read.

        `looked_ms`: policy time of the last look.
        """
        if now_ms // HOUR_MS == looked_ms // HOUR_MS and not self._more:
            return np.empty(0, np.intp), NO_KEYS
        rows = _silent_since(store, now_ms // 1000 - forget_after_s)
        self._more = len(rows) == AT_ONCE
        return rows, _forget(store, rows, now_ms // 1000)


def _silent_since(store: ProfileStore, before_s: int) -> IndexArray:
    seen_s = np.maximum(store["last_active_s"], store["first_seen_s"])
    return np.flatnonzero((store["layout"] > 0) & (seen_s < max(before_s, 0)))[:AT_ONCE]


def _forget(store: ProfileStore, rows: IndexArray, now_s: int) -> UIntArray:
    left, kept = reads_of(store, rows), store["consent"][rows] == CONSENT_OUT
    for i in np.flatnonzero(store["side"][rows]).tolist():
        kept[i] |= store.said(int(rows[i])).asks_anything
    store.start_again(rows[kept], now_s)
    store.forget(rows[~kept])
    return left
