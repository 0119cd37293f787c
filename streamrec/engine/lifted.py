"""Pairs that are kept whatever the reader's affinity to the article: the floor is not for them.

an article with an audience   all its pairs; the rule `outside_audience` says who is not in it
"""

import numpy as np

from ..arrays import BoolArray, IndexArray
from .catalog import Catalog
from .profiles.store import Users


def lifted_pairs(users: Users, catalog: Catalog, slots: IndexArray) -> BoolArray | None:
    """Which of N users times M articles are kept at any affinity, (N, M); None if none is."""
    addressed = catalog["addressed"][slots]
    return np.broadcast_to(addressed, (len(users), len(slots))) if addressed.any() else None
