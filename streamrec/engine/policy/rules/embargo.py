"""An article is not pushed before its publication time or the end of its embargo."""

import numpy as np

from ....arrays import BoolArray
from ..config import Policy
from ..types import Pairs


def embargo(pairs: Pairs, now_ms: int, policy: Policy) -> BoolArray:
    """True for pairs whose article may not be out yet, (N,)."""
    return np.asarray(np.maximum(pairs.article("embargo_ms"), pairs.article("published_ms")) > now_ms)
