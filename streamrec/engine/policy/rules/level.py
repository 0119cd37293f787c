"""Who wants breaking news only, or none at all, gets no more than that."""

import numpy as np

from ....arrays import BoolArray
from ...profiles.preferences import BREAKING_ONLY, NO_NEWS
from ..config import Policy
from ..types import Pairs


def level(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True if the reader wants no news, or breaking news and this is none, (N,)."""
    table = pairs.users.store.preferences
    if not len(table):
        return np.zeros(len(pairs), np.bool_)
    wanted = table.columns["level"][pairs.user("side")]  # 0: all
    return np.asarray((wanted == NO_NEWS) | ((wanted == BREAKING_ONLY) & (pairs.article("breaking") == 0)))
