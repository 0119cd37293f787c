"""Nothing of a category, source, story or tag that the reader has muted is pushed to them."""

import numpy as np

from ....arrays import BoolArray
from ....contracts.ids import SHARED_CATEGORY
from ..config import Policy
from ..types import Pairs


def muted_category(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True if the reader has muted the article's category, by its name or in the row by its slot, (N,).

    The slot that several categories share cannot be muted.
    """
    slots = pairs.article("category")
    by_slot = (pairs.user("muted") >> slots.astype(np.uint32)) & 1 == 1
    return np.asarray((by_slot & (slots != SHARED_CATEGORY)) | _muted(pairs, "categories"))


def muted_source(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True if the reader has muted the article's publisher or desk, (N,)."""
    return _muted(pairs, "sources")


def muted_story(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True if the reader has muted the article's story, (N,)."""
    return _muted(pairs, "stories")


def muted_tag(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True if the reader has muted a tag of the article, or a keyword found in its text, (N,)."""
    return _muted(pairs, "tags")


def _muted(pairs: Pairs, kind: str) -> BoolArray:
    table = pairs.users.store.preferences
    if not len(table):
        return np.zeros(len(pairs), np.bool_)
    return table.muted(pairs.user("side"), pairs.slots, pairs.catalog.articles, kind)
