"""Nobody who has unsubscribed gets a push, breaking or not."""

import numpy as np

from ...profiles.layout import CONSENT_OUT
from ...profiles.store import Users
from ..config import NEVER, Policy
from ..types import UntilArray


def opt_out(users: Users, now_s: int, policy: Policy) -> UntilArray:
    """When the gate opens, (N,): NEVER for who has unsubscribed, until they subscribe again; 0 = open."""
    return np.where(users["consent"] == CONSENT_OUT, np.uint32(NEVER), np.uint32(0))
