"""What somebody has read is not news to them."""

from ....arrays import BoolArray
from ...profiles.history import has_read
from ..config import Policy
from ..types import Pairs


def already_read(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True if the row remembers the article as read; history_floor answers for older ones."""
    return has_read(pairs.users.store, pairs.users.indices(), pairs.article("key"))
