"""Old news is not pushed: an article's time to be pushed is over."""

import numpy as np

from ....arrays import BoolArray
from ..config import Policy
from ..types import Pairs


def expired(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True for pairs whose article has expired by `now_ms`, (N,)."""
    return np.asarray(pairs.article("expires_ms") <= now_ms)
