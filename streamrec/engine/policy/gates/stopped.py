"""Nobody gets a push while an editor or operator has stopped everything, breaking or not."""

import numpy as np

from ...profiles.store import Users
from ..config import Policy
from ..types import UntilArray


def stopped(users: Users, now_s: int, policy: Policy) -> UntilArray:
    """When the gate opens, (N,) s: when the stop ends, NEVER if it lasts until it is lifted; 0 = open."""
    return np.full(len(users), policy.stopped_until_s if policy.stopped_until_s > now_s else 0, np.uint32)
