"""The order in which one article meets the readers of a partition: those who will most likely open it go first.

    first pass    everybody, a chunk of rows at a time: who is likeliest gets the push at once, the others are put off
    after it      who was put off, a chunk at a time, level by level

What likely means is read off the first chunk with pushes: each level begins at a quantile of its scores. So the first
push leaves as soon as it would in row order, nothing is sorted, and of a million readers the best thirtieth have theirs
within the first pass, which takes a second or two, where all of them take half a minute. Scores are asked for twice
where a push leaves, which costs a fortieth of that push. An article that few readers get goes in row order.

Nothing of this is logged: after a restart the article meets everybody again, and the rows say who has it.
"""

from collections import defaultdict
from typing import NamedTuple

import numpy as np

from ..arrays import BoolArray, FloatArray, IndexArray
from ..decide import Decision
from ..engine.profiles.store import ProfileStore, Users

SHARES = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1 / 2)  # of the pushes of an article: level 0 is the best 32nd
NO_ORDER: FloatArray = np.empty(0, np.float32)
CHUNKS = 4  # of pushes: below it there is no order worth its scores


class Judged(NamedTuple):
    """A decision's K pushes by level."""

    edges: FloatArray | None  # (levels - 1,) where they begin, in descending order; None: nothing is known yet
    level: IndexArray  # (K,)
    at_once: BoolArray  # (K,)


class BestFirst:
    """Which rows meet an article next, and which are put off."""

    def __init__(self) -> None:
        self.start = 0  # the first row that has not met the article
        self._scanned = False  # the first pass is over: who comes later finds the article when they are due
        self._edges: FloatArray | None = None  # (levels - 1,) scores, descending
        self._later: defaultdict[int, list[IndexArray]] = defaultdict(list)  # level -> rows
        self._served: IndexArray = np.empty(0, np.intp)  # of the level whose turn it is, who is left

    def met(self) -> int:
        """How many rows have met the article, those that are put off left out."""
        return self.start - len(self._served) - sum(len(rows) for level in self._later.values() for rows in level)

    def is_over(self, everybody: int) -> bool:
        """Whether all rows have met the article."""
        scanned = self._scanned or self.start >= everybody
        return scanned and not len(self._served) and not self._later

    def next(self, profiles: ProfileStore, chunk: int) -> tuple[Users, bool]:
        """The next rows, and whether they have met the article before and were put off, the likeliest level first."""
        if not self._scanned:
            start, self.start = self.start, min(self.start + chunk, len(profiles))
            self._scanned = self.start >= len(profiles)
            return profiles.everybody(start, self.start), False
        if not len(self._served) and self._later:
            self._served = np.concatenate(self._later.pop(min(self._later)))
        rows, self._served = self._served[:chunk], self._served[chunk:]
        return profiles.still_there(rows), True

    def judge(self, decision: Decision, met: int, everybody: int, chunk: int) -> Judged:
        """Who of a decision on `met` readers of the first pass gets the push at once; it changes nothing."""
        edges = self._edges
        if edges is None and len(decision.rows):
            many = len(decision.rows) * everybody > CHUNKS * chunk * met
            edges = _edges(decision.relevance) if many else NO_ORDER
        level = (decision.relevance[:, None] < (NO_ORDER if edges is None else edges)).sum(axis=1)
        return Judged(edges, level, level == 0)

    def note(self, judged: Judged, decision: Decision) -> None:
        """Put off those of a decision who do not get the push at once."""
        self._edges = judged.edges
        for level in np.unique(judged.level[~judged.at_once]).tolist():
            self._later[level].append(decision.rows[judged.level == level])


def _edges(relevance: FloatArray) -> FloatArray:
    return np.asarray(np.quantile(relevance, [1 - share for share in SHARES]), np.float32)
