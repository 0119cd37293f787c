"""One push per article and per story: an update of a story somebody was told about is not told again."""

import numpy as np

from ....arrays import BoolArray
from ...profiles.history import was_pushed
from ..config import Policy
from ..types import Pairs


def already_pushed_article(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True if the user was pushed this article, in any version."""
    return was_pushed(pairs.users.store, pairs.users.indices(), pairs.article("key"))


def already_pushed_story(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True if one of the user's last 8 pushes was of the same story."""
    return np.asarray((pairs.user("pushed_story") == pairs.article("story")[:, None]).any(axis=1))
