"""At most `daily_cap` pushes in any 24 hours (the user's own cap if the row has one)."""

import numpy as np

from ...profiles.layout import PUSHES
from ...profiles.store import Users
from ..config import NEVER, Policy
from ..types import UntilArray

DAY_S = 86_400


def daily_cap(users: Users, now_s: int, policy: Policy) -> UntilArray:
    """Opens when the oldest push that counts is a day old."""
    cap = np.where(users["daily_cap"] == 255, policy.daily_cap, np.minimum(users["daily_cap"], PUSHES))
    at_s = np.sort(users["pushed"]["at_s"], axis=1)  # (N, 8) ascending
    count = (at_s.astype(np.int64) > now_s - DAY_S).sum(axis=1)
    # with c pushes and a cap of k, the (c-k+1)-th oldest of them has to leave the window
    leaving = np.clip(PUSHES - cap, 0, PUSHES - 1)
    until = at_s[np.arange(len(cap)), leaving].astype(np.int64) + DAY_S
    until = np.where(cap == 0, NEVER, until)
    return np.where(count >= cap, until, 0).astype(np.uint32)
