"""An article taken back is never pushed."""

from ....arrays import BoolArray
from ..config import Policy
from ..types import Pairs


def withdrawn(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True for pairs whose article the newsroom has withdrawn, (N,)."""
    flags: BoolArray = pairs.article("withdrawn")
    return flags
