"""Who wants no profile gets what they follow, articles for an audience they are in, and breaking news; nothing else."""

import numpy as np

from ....arrays import BoolArray
from ..config import Policy
from ..types import Pairs


def unprofiled(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True if the reader refused profiling, and the article is neither followed nor addressed nor breaking, (N,)."""
    table, found = pairs.users.store.preferences, np.zeros(len(pairs), np.bool_)
    if not len(table):
        return found
    sides = pairs.user("side")
    found |= table.columns["unprofiled"][sides]
    if found.any():
        found &= (pairs.article("breaking") == 0) & ~pairs.article("addressed")
        found &= ~table.followed(sides, pairs.slots, pairs.catalog.articles)
    return found
