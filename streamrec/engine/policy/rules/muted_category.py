"""An article of a category that the user has muted is not pushed to them."""

import numpy as np

from ....arrays import BoolArray
from ....contracts.ids import SHARED_CATEGORY
from ..config import Policy
from ..types import Pairs


def muted_category(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True if the category's bit is set in the user's preferences; the slot that several share cannot be muted."""
    category = pairs.article("category")
    muted = (pairs.user("muted") >> category.astype(np.uint32)) & 1 == 1
    return np.asarray(muted & (category != SHARED_CATEGORY))
