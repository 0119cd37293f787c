"""How often each reason kept a push back; whoever explains decisions keeps who and what it was, too.

`decide` tells a tally of each suppression in the order of asking, so of one reader, or of one pair, the first reason
that is told is the one that counts: nobody who closed a gate is asked for anything behind it.
"""

import numpy as np

from ...arrays import BoolArray, FloatArray
from ..pairs import Pairs
from ..profiles.store import Users
from .suppression_reasons import SUPPRESSION_REASONS, SuppressionReason


class Tally(dict[SuppressionReason, int]):
    """Suppressions by reason: gates and the affinity floor count users, rules and budget count pairs."""

    def users(self, reason: SuppressionReason, users: Users, against: BoolArray) -> None:
        """The reason keeps back those of N users where `against`, (N,), says so."""
        self._add(reason, against)

    def pairs(self, reason: SuppressionReason, pairs: Pairs, against: BoolArray) -> None:
        """The reason suppresses those of N pairs where `against`, (N,), says so."""
        self._add(reason, against)

    def scored(self, pairs: Pairs, relevance: FloatArray) -> None:
        """The ranker gave these pairs, N of them, their calibrated P(click), (N,)."""

    def _add(self, reason: SuppressionReason, against: BoolArray) -> None:
        assert reason in SUPPRESSION_REASONS
        if n := int(np.count_nonzero(against)):
            self[reason] = self.get(reason, 0) + n
