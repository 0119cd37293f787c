"""A category the user has muted."""

import numpy as np

from ..config import Policy
from ..types import BoolArray, Pairs


def muted_category(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True if the category's bit is set in the user's preferences."""
    return np.asarray((pairs.user("muted") >> pairs.article("category").astype(np.uint32)) & 1 == 1)
