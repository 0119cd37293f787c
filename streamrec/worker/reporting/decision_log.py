"""What was decided, in a line of the log now and then: whoever waits for a push reads there why none comes.

decided: 0 pushes; held back: in_session 3, quiet_hours 1
"""

import logging
from collections import Counter
from collections.abc import Mapping

from ...engine.policy.suppression_reasons import SuppressionReason

log = logging.getLogger(__name__)

FIRST_S = 5.0  # after the first decision: somebody may be trying it out
EVERY_S = 60.0


class DecisionLog:
    """Pushes and what held others back, as in `streamrec_suppressions_total`, since the last line."""

    def __init__(self) -> None:
        self._pushes, self._held_back = 0, Counter[SuppressionReason]()
        self._next_s: float | None = None  # of the first line: not known before there is a decision

    def add(self, pushes: int, held_back: Mapping[SuppressionReason, int]) -> None:
        """Add one committed transaction to the next line: its pushes, and how many were held back for which reason."""
        self._pushes += pushes
        self._held_back.update(held_back)

    def tell(self, now_s: float) -> None:
        """Write the line if it is time and anything was decided; `now_s` is monotonic."""
        held_back = +self._held_back  # without zeros
        if not self._pushes and not held_back:
            return
        if self._next_s is None:
            self._next_s = now_s + FIRST_S
        if now_s < self._next_s:
            return
        reasons = ", ".join(f"{reason} {count}" for reason, count in held_back.most_common())
        log.info("decided: %d pushes; held back: %s", self._pushes, reasons or "none")
        self._pushes, self._next_s = 0, now_s + EVERY_S
        self._held_back.clear()
