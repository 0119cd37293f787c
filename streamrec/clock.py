"""The only place that reads a clock. Everything else takes the time as an argument."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

_simulated: Callable[[], int] | None = None  # nanoseconds since 1970


def now_ms() -> int:
    """Wall clock, milliseconds since 1970 (UTC)."""
    return (time.time_ns() if _simulated is None else _simulated()) // 1_000_000


def now_iso() -> str:
    """Wall clock to the second, as RFC 3339 (UTC)."""
    return datetime.fromtimestamp(now_ms() // 1000, UTC).isoformat()


def monotonic_s() -> float:
    """Seconds on a clock that never goes back; only differences mean something."""
    return time.perf_counter() if _simulated is None else _simulated() / 1e9


@contextmanager
def simulated(now_ns: Callable[[], int]) -> Iterator[None]:
    """Both clocks follow `now_ns` in this process: for simulations, which own their time."""
    global _simulated  # noqa: PLW0603 - one clock a process
    before, _simulated = _simulated, now_ns
    try:
        yield
    finally:
        _simulated = before
