"""Articles in a language that the reader has not named are not pushed to who named any."""

import numpy as np

from ....arrays import BoolArray
from ..config import Policy
from ..types import Pairs

UNDECIDED = np.array([b"", b"un"], "S2")  # of "und": nobody knows what language it is


def language(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True if the reader named languages and the article's, which is known, is none of them, (N,)."""
    table = pairs.users.store.preferences
    if not len(table):
        return np.zeros(len(pairs), np.bool_)
    named, its = table.columns["languages"][pairs.user("side")], pairs.article("language")  # (N, 8), (N,)
    any_named = (named != b"").any(axis=1)
    return np.asarray(any_named & ~(named == its[:, None]).any(axis=1) & ~np.isin(its, UNDECIDED))
