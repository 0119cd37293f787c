"""Nobody is interrupted while reading: a session ends when nothing came for `session_gap_s`."""

import numpy as np

from ...profiles.store import Users
from ..config import Policy
from ..types import UntilArray


def in_session(users: Users, now_s: int, policy: Policy) -> UntilArray:
    """When the gate opens, (N,) s; 0 = open: when the gap after the last activity is over."""
    until = users["last_active_s"].astype(np.int64) + policy.session_gap_s
    return np.where(until > now_s, until, 0).astype(np.uint32)
