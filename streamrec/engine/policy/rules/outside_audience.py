"""An article with an audience is pushed to nobody outside it."""

import numpy as np

from ....arrays import BoolArray
from ...audience import members
from ..config import Policy
from ..types import Pairs


def outside_audience(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True for pairs whose article has an audience the user is not in by `now_ms`, (N,)."""
    addressed = pairs.article("addressed")
    outside = np.zeros(len(pairs), np.bool_)
    for slot in np.unique(pairs.slots[addressed]).tolist() if addressed.any() else ():
        article = pairs.catalog.articles[slot]
        assert article is not None
        its = np.flatnonzero(pairs.slots == slot)
        users = pairs.users.take(its)
        outside[its] = ~members(article, users, now_ms, policy.half_life_ms, policy.default_zone)
    return outside
