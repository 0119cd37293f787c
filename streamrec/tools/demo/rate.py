"""Events per second over the last few seconds, whatever the intervals at which it is asked."""

from collections import deque

WINDOW_S = 5.0


class RecentRate:
    """Growth per second of a count that only grows, over the last WINDOW_S (or since the start)."""

    def __init__(self, now_s: float) -> None:
        self._points = deque([(now_s, 0)])

    def after(self, now_s: float, total: int) -> float:
        """The rate now that `total` is reached; 0 while no time has passed."""
        self._points.append((now_s, total))
        while self._points[1][0] <= now_s - WINDOW_S:
            self._points.popleft()
        then_s, before = self._points[0]
        return (total - before) / (now_s - then_s) if now_s > then_s else 0.0
