"""Log lines about partitions whose pushes are held back: one when that has lasted a few seconds, one when it ends.

A takeover or a pause holds back for a moment, and of that nobody is told. What begins or ends for several partitions
together, and for one reason, is one line.
"""

import logging
from collections.abc import Mapping
from typing import NamedTuple

from ...observability.metrics import HoldReason

log = logging.getLogger(__name__)

TOLD_S = 5.0


class Hold(NamedTuple):
    """Whether a partition's pushes are held back: the reason by which that is counted, and the words for the log."""

    reason: HoldReason | None  # None: they leave
    words: str


class HoldLog:
    """Logs which partitions of a process hold their pushes back: each once it has lasted, and once when it is over."""

    def __init__(self) -> None:
        self._since_s: dict[int, float] = {}
        self._told: dict[int, HoldReason] = {}

    def note(self, seen: Mapping[int, Hold], at_s: float) -> None:
        """Take in what holds back each partition of this process at the monotonic time `at_s`; others have left it."""
        held = {number: why.reason for number, why in seen.items() if why.reason is not None}
        over = [number for number in self._told if number not in held]
        if gone_on := [number for number in over if number in seen]:
            seconds = max(at_s - self._since_s[number] for number in gone_on)
            log.info("pushes leave again after %.0f s", seconds, extra={"partitions": _listed(gone_on)})
        for number in over:
            del self._told[number]
        self._since_s = {number: self._since_s.get(number, at_s) for number in held}
        for reason in sorted(set(held.values())):
            self._tell(reason, seen, at_s)

    def _tell(self, reason: HoldReason, seen: Mapping[int, Hold], at_s: float) -> None:
        new = [
            number
            for number, since_s in self._since_s.items()
            if seen[number].reason == reason and self._told.get(number) != reason and at_s - since_s >= TOLD_S
        ]
        if new:
            self._told |= dict.fromkeys(new, reason)
            facts = {"reason": reason, "partitions": _listed(new)}
            log.warning("pushes are held back: %s", seen[new[0]].words, extra=facts)


def _listed(numbers: list[int]) -> str:
    return ",".join(map(str, sorted(numbers)))
