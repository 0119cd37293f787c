"""After dismiss or dislike a category rests for a while: the cheapest thing a user can tell us is no."""

import numpy as np

from ..config import Policy
from ..types import BoolArray, Pairs


def cooldown(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True while the article's category is cooling down for the user."""
    negatives = pairs.user("negatives")
    resting = negatives["until_s"].astype(np.int64) * 1000 > now_ms  # (N, 4)
    return np.asarray((resting & (negatives["category"] == pairs.article("category")[:, None])).any(axis=1))
