"""An article whose pushes an editor took back is never pushed again, in any version."""

from ....arrays import BoolArray
from ..config import Policy
from ..types import Pairs


def retracted(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True for pairs whose article was retracted, (N,)."""
    flags: BoolArray = pairs.article("retracted")
    return flags
