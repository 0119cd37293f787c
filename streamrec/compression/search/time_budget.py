"""The time a search may take, and what still fits into it.

A trial cannot be stopped halfway, so one that would end long after its time is not begun. How long it takes is
foretold by the same recipe's last trial: learning costs epochs x rows. A beginning that other recipes share counts as
if nobody else had paid for it, for at the next fidelity it may be this recipe that does.
"""

from ...clock import monotonic_s
from ...errors import DataError
from .trial import Fidelity, Trial

OVERRUN = 0.1  # of the whole time, that a trial may take longer than its rung


class TimeBudget:
    """How much of a search's time is gone; it runs from when it is made. DataError for no time."""

    def __init__(self, seconds: float) -> None:
        if not seconds > 0:
            raise DataError(f"a search was given {seconds:g} s; expected more than none")
        self._seconds, self._start = seconds, monotonic_s()

    def used(self) -> float:
        """Share of the time that is gone; above 1 when it is over."""
        return self.seconds() / self._seconds

    def seconds(self) -> float:
        """Seconds since the search began."""
        return monotonic_s() - self._start

    def fits(self, until: float, last: Trial | None, fidelity: Fidelity) -> bool:
        """Whether a trial may begin that should end at the share `until`."""
        expected = expected_s(last, fidelity) / self._seconds if last else 0.0
        return self.used() <= until and self.used() + expected <= until + OVERRUN


def expected_s(last: Trial, fidelity: Fidelity) -> float:
    """Seconds that a recipe's trial at this fidelity should take, by its last trial at another one."""
    alone = last.seconds + last.shared_s
    return alone * (fidelity.epochs * fidelity.share) / max(last.fidelity.epochs * last.fidelity.share, 1e-3)
