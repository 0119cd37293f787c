"""An article that an editor holds, or that waits for a second person, is not pushed until it is released."""

from ....arrays import BoolArray
from ..config import Policy
from ..types import Pairs


def held(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True for pairs whose article is held, (N,)."""
    flags: BoolArray = pairs.article("held")
    return flags
