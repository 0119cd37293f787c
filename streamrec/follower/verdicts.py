"""What `decide` said of each reader about one article: who would be pushed to, and what kept back the others.

Nothing is decided here: a tally that `decide` tells everything keeps it by reader.
"""

from typing import NamedTuple

import numpy as np

from ..arrays import BoolArray, ByteArray, FloatArray, IndexArray, UIntArray
from ..decide import decide
from ..engine.catalog import Catalog
from ..engine.pairs import Pairs
from ..engine.policy.config import Policy
from ..engine.policy.suppression_reasons import SUPPRESSION_REASONS, SuppressionReason
from ..engine.policy.tally import Tally
from ..engine.profiles.store import ProfileStore, Users
from ..models.serving import Lineup

PUSH, NOBODY = 0, 255  # codes of `reasons` that are no reason: a push; a row without a reader
TOGETHER = 16_384  # readers, so that what is gathered stays in the processor's cache
_CODE = {reason: code for code, reason in enumerate(SUPPRESSION_REASONS, 1)}
Verdict = SuppressionReason | None  # None: a push


class Verdicts(NamedTuple):
    """One article, and all readers of one partition."""

    reasons: ByteArray  # (R,) codes: 0 a push, else what suppressed it; see `reason_of`
    scores: FloatArray  # (R,) calibrated P(click); not a number where nothing was scored
    opens_s: UIntArray  # (R,) when a gated reader may be pushed to; 0: not gated

    def rows(self, code: int = PUSH) -> IndexArray:
        """Rows with this verdict, by default those that would be pushed to."""
        return np.flatnonzero(self.reasons == code)

    def counts(self) -> dict[str, int]:
        """Readers by verdict, "push" among them; those of the reasons in the order of asking."""
        found = np.bincount(self.reasons, minlength=256)
        return {(reason_of(code) or "push"): int(found[code]) for code in range(len(_CODE) + 1) if found[code]}


def reason_of(code: int) -> Verdict:
    """The reason behind a code of `Verdicts.reasons`; None: a push."""
    return SUPPRESSION_REASONS[code - 1] if code else None


class ByReader(Tally):
    """Keeps the reason and the score of each reader, for one article."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.reasons = np.full(rows, NOBODY, np.uint8)
        self.scores = np.full(rows, np.nan, np.float32)

    def users(self, reason: SuppressionReason, users: Users, against: BoolArray) -> None:
        super().users(reason, users, against)
        self.reasons[users.indices()[against]] = _CODE[reason]

    def pairs(self, reason: SuppressionReason, pairs: Pairs, against: BoolArray) -> None:
        super().pairs(reason, pairs, against)
        self.reasons[pairs.users.indices()[against]] = _CODE[reason]

    def scored(self, pairs: Pairs, relevance: FloatArray) -> None:
        self.scores[pairs.users.indices()] = relevance


def verdicts(
    profiles: ProfileStore, catalog: Catalog, slot: int, now_ms: int, lineup: Lineup, policy: Policy
) -> Verdicts:
    """Every reader of a partition meets one article, as when it is published."""
    everybody, tally = len(profiles), ByReader(len(profiles))
    opens_s, slots = np.zeros(everybody, np.uint32), np.array([slot])
    for start in range(0, everybody, TOGETHER):
        users = profiles.everybody(start, min(start + TOGETHER, everybody))
        for predictor, mine in lineup.shares(users):
            decision = decide(mine, catalog, slots, now_ms, predictor, policy, tally=tally)
            tally.reasons[decision.rows] = PUSH
            opens_s[mine.indices()] = decision.opens_s
    return Verdicts(tally.reasons, tally.scores, opens_s)
