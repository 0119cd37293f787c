"""At most `daily_cap` pushes in any 24 hours (the user's own cap if the row has one)."""

import numpy as np

from ...profiles.layout import PUSHES
from ...profiles.store import Users
from ..config import NEVER, Policy
from ..types import UntilArray

DAY_S = 86_400


def daily_cap(users: Users, now_s: int, policy: Policy) -> UntilArray:
    """When the gate opens, (N,) s; 0 = open: when the oldest push that counts is a day old."""
    cap = np.where(users["daily_cap"] == 255, policy.daily_cap, np.minimum(users["daily_cap"], PUSHES))
    at_s = users["pushed_at_s"]  # (N, 8)
    until = np.zeros(len(cap), np.uint32)
    closed = np.flatnonzero((at_s > max(now_s - DAY_S, 0)).sum(axis=1) >= cap)
    if len(closed):
        # with c pushes and a cap of k, the (c-k+1)-th oldest of them has to leave the window
        leaving = np.minimum(PUSHES - cap[closed], PUSHES - 1)  # of a cap of 0 any: it never opens
        oldest_first = np.sort(at_s[closed], axis=1)
        opens_s = oldest_first[np.arange(len(closed)), leaving].astype(np.int64) + DAY_S
        until[closed] = np.where(cap[closed] == 0, NEVER, opens_s)
    return until
