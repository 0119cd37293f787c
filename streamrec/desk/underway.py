"""Audiences under way, as the first page shows them: where each stands (follower/audience.py), and how fast it goes.

Where a push goes to an audience, its pace matters: while it runs it can still be stopped. The pace is that of the last
looks, which are remembered here.
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from ..follower.audience import Pace, Progress, pace

MOST = 5  # audiences that are shown, the latest
PACE_MS = 20_000  # a pace is that of so long
RECENT_MS = 6 * 3_600_000  # an audience of before has met whoever it could meet


class Underway(NamedTuple):
    """One article that has an audience."""

    progress: Progress
    pace: Pace | None  # None at the first look


class Audiences:
    """Remembers earlier looks."""

    def __init__(self) -> None:
        self._looks: dict[str, deque[Progress]] = {}

    def seen(self, found: Sequence[Progress]) -> list[Underway]:
        """What was found now, with the pace since the first of the remembered looks; a look that is kept is one."""
        self._looks = {one.article_id: self._looks.get(one.article_id, deque()) for one in found}
        return [self._with_pace(one) for one in found]

    def _with_pace(self, now: Progress) -> Underway:
        looks = self._looks[now.article_id]
        if not looks or looks[-1].at_ms < now.at_ms:
            looks.append(now)
        while looks[0].at_ms < now.at_ms - PACE_MS:
            looks.popleft()
        return Underway(now, pace(looks[0], now) if looks[0].at_ms < now.at_ms else None)
