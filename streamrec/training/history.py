"""What each user read lately, as a model with attention wants it: the last 30 articles, newest last.

The profile keeps keys of 18 articles only and a decayed sum; a teacher needs the articles themselves. A repeated read
counts once, as in the profile. An article not known yet keeps its place and is shown from the moment it is known.
A history is written to the table when an impression asks for it, and again only after it changed.
"""

from collections import deque
from collections.abc import Mapping

import numpy as np

from ..arrays import IntArray

HISTORY = 30  # articles


class Histories:
    """Reads by user, and the table (H, 30) of histories that impressions have met."""

    def __init__(self) -> None:
        self._reads: dict[str, deque[str]] = {}
        self._written: dict[str, tuple[tuple[int, ...], int]] = {}  # user -> what stands in the table, and its row
        self._table: list[IntArray] = []

    def after_read(self, user_id: str, article_id: str) -> None:
        """Append a read, in the order of the log, to the user's history, unless it stands there already."""
        reads = self._reads.setdefault(user_id, deque(maxlen=HISTORY))
        if article_id not in reads:
            reads.append(article_id)

    def row(self, user_id: str, version_of: Mapping[str, int]) -> int:
        """Row of the table that holds the user's history now; `version_of` an article is its row of vectors."""
        reads = self._reads.get(user_id, ())
        known = tuple(version_of[article_id] for article_id in reads if article_id in version_of)
        written, row = self._written.get(user_id, (None, 0))
        if written != known:
            row = len(self._table)
            self._written[user_id] = known, row
            self._table.append(np.array([-1] * (HISTORY - len(known)) + list(known), np.int64))
        return row

    def table(self) -> IntArray:
        """All histories that rows refer to, (H, 30) article numbers, newest last, -1 = empty."""
        return np.array(self._table, np.int64).reshape(-1, HISTORY)
