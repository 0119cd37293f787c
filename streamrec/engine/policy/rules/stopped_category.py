"""An article of a category that is stopped is not pushed until the category is resumed."""

from ....arrays import BoolArray
from ..config import Policy
from ..types import Pairs


def stopped_category(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True for pairs whose article is of a stopped category, (N,)."""
    flags: BoolArray = pairs.article("stopped")
    return flags
