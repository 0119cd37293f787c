"""After dismiss or dislike a category rests for a while: the cheapest thing a user can tell us is no."""

import numpy as np

from ....arrays import BoolArray
from ....contracts.ids import SHARED_CATEGORY
from ..config import Policy
from ..types import Pairs


def cooldown(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True while the article's category is cooling down for the user; the slot that several share never does."""
    negatives, category = pairs.user("negatives"), pairs.article("category")
    resting = negatives["until_s"].astype(np.int64) * 1000 > now_ms  # (N, 4)
    same = (resting & (negatives["category"] == category[:, None])).any(axis=1)
    return np.asarray(same & (category != SHARED_CATEGORY))
