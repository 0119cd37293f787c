"""What the rows of readers say of pushes: how many left in each minute, and how many readers have an article.

Read from columns of the followed partitions: the times of a reader's last 8 pushes (no reader gets more in a day) and
the articles the row remembers. Nothing is counted twice and nothing has to be kept between two looks.
"""

from collections.abc import Sequence

import numpy as np

from ..arrays import BoolArray, IntArray
from ..engine.profiles.layout import CONSENT_OUT, PUSHED
from ..engine.profiles.store import ProfileStore

DAY_S = 86_400
TOGETHER = 131_072  # rows looked at in one go: their columns stay in the cache


def pushes_by_second(store: ProfileStore, now_s: int, seconds: int) -> IntArray:
    """(seconds,) pushes in each of the last seconds, the present one last."""
    times = store["pushed_at_s"]
    recent = times[times > np.uint32(max(0, now_s - seconds))].astype(np.int64)
    return np.bincount(np.minimum(recent - (now_s - seconds) - 1, seconds - 1), minlength=seconds)


def pushed_since(store: ProfileStore, since_s: int) -> int:
    """Pushes after this moment; exact for a day back."""
    return int(np.count_nonzero(store["pushed_at_s"] > np.uint32(since_s)))


def reach(store: ProfileStore, keys: Sequence[int]) -> IntArray:
    """(K,) how many readers were pushed each article, by article key, as far as rows remember it."""
    wanted, found = np.array(sorted(set(keys)), np.uint32), np.zeros(len(set(keys)), np.int64)
    if not len(wanted):
        return found
    low = np.zeros(65_536, np.bool_)
    low[wanted & 0xFFFF] = True
    for start in range(0, len(store), TOGETHER):
        seen = store["seen"][start : start + TOGETHER]
        near: BoolArray = low[seen.astype(np.uint16)]  # the low half of a key: a quick look before the exact one
        near &= (store["seen_acts"][start : start + TOGETHER] & PUSHED) > 0
        some = seen[near]
        at = np.minimum(np.searchsorted(wanted, some), len(wanted) - 1)
        found += np.bincount(at[wanted[at] == some], minlength=len(wanted))
    return found[np.searchsorted(wanted, np.array(keys, np.uint32))]


def opted_out(store: ProfileStore) -> int:
    """Readers who have pushes switched off; rows of nobody count as none."""
    return int(np.count_nonzero((store["consent"] == CONSENT_OUT) & (store["layout"] > 0)))
