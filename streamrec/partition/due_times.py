"""When readers who wait are to be looked at: whose quiet hours have ended, and who was looked at before a restart."""

import numpy as np

from ..arrays import BoolArray, IndexArray
from ..engine.policy.config import Policy
from ..engine.policy.gates.quiet_hours import quiet_hours
from ..engine.profiles.store import ProfileStore, Users


def woke(profiles: ProfileStore, policy: Policy, before_ms: int, now_ms: int) -> BoolArray:
    """Users whose quiet hours ended since the last look that asked, `before_ms`, (R,); nobody's before the first."""
    users, before_s = Users(profiles, slice(None)), before_ms // 1000
    if not before_s or not len(users):
        return np.zeros(len(users), np.bool_)
    was_quiet = quiet_hours(users, before_s, policy) > 0  # never of a row of nobody: its window is empty
    return np.asarray(was_quiet & (quiet_hours(users, now_ms // 1000, policy) == 0))


def looked_at(profiles: ProfileStore, looked_s: int) -> IndexArray:
    """Rows of users the log says were due by then: they have been looked at."""
    due_at_s = profiles["due_at_s"]
    return np.flatnonzero((due_at_s > 0) & (due_at_s <= looked_s))
