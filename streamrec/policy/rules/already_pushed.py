"""One push per article and per story: an update of a story somebody was told about is not told again."""

import numpy as np

from ..config import Policy
from ..types import BoolArray, Pairs


def already_pushed_article(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True if the user was pushed this article, in any version."""
    return _among_pushed(pairs, "article", "key")


def already_pushed_story(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True if the user was pushed another article of the same story."""
    return _among_pushed(pairs, "story", "story")


def _among_pushed(pairs: Pairs, pushed_field: str, article_field: str) -> BoolArray:
    return np.asarray((pairs.user("pushed")[pushed_field] == pairs.article(article_field)[:, None]).any(axis=1))
