"""Pairs that are kept whatever the reader's affinity to the article: the floor is not for them.

an article with an audience   all its pairs; the rule `outside_audience` says who is not in it
what a reader follows         a category, source, story or tag of the article (contracts/preferences.py)
breaking news                 for readers of whom no profile is kept, so that none could be near
"""

import numpy as np

from ..arrays import BoolArray, IndexArray
from .catalog import Catalog
from .profiles.store import Users


def lifted_pairs(users: Users, catalog: Catalog, slots: IndexArray) -> BoolArray | None:
    """Which of N users times M articles are kept at any affinity, (N, M); None if none is."""
    addressed = catalog["addressed"][slots]
    followed = _followed(users, catalog, slots) if len(users.store.preferences) else None
    if not addressed.any():
        return followed
    everybody = np.broadcast_to(addressed, (len(users), len(slots)))
    return everybody if followed is None else everybody | followed


def _followed(users: Users, catalog: Catalog, slots: IndexArray) -> BoolArray | None:
    """What readers follow, and breaking news where they want no profile, (N, M); None if there is nothing of that."""
    table, sides = users.store.preferences, users["side"]
    said = np.flatnonzero(sides)
    if not len(said):
        return None
    lifted = np.zeros((len(users), len(slots)), np.bool_)
    unprofiled = table.columns["unprofiled"][sides[said]]
    for at, slot in enumerate(slots.tolist()):
        if (article := catalog.articles[slot]) is not None:
            lifted[said, at] = table.follow_any(sides[said], article) | (unprofiled & (article.breaking > 0))
    return lifted if lifted.any() else None
