"""What became known before all that a row remembers by name counts as seen: it may have been read or pushed."""

import numpy as np

from ....arrays import BoolArray
from ..config import Policy
from ..types import Pairs


def history_floor(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True if the article became known at or before the user's floor."""
    return np.asarray(pairs.article("first_known_s") <= pairs.user("floor_s"))
