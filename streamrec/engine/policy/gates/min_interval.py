"""Some hours lie between two pushes to one user."""

import numpy as np

from ...profiles.store import Users
from ..config import Policy
from ..types import UntilArray


def min_interval(users: Users, now_s: int, policy: Policy) -> UntilArray:
    """When the gate opens, (N,) s; 0 = open: `min_interval_s` after the last push."""
    last_s = users["pushed_at_s"].max(axis=1).astype(np.int64)
    until = last_s + policy.min_interval_s
    return np.where((last_s > 0) & (until > now_s), until, 0).astype(np.uint32)
