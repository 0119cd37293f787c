"""An event loop whose clock moves only when everybody waits: hours pass in milliseconds, and the same seed gives the
same run. Nothing in it may wait for the world outside.
"""

import asyncio
import math
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

from ..clock import simulated
from ..errors import StateError

T = TypeVar("T")


class VirtualTime(selectors.SelectSelector):
    """Nanoseconds since 1970, advanced by waiting."""

    def __init__(self, start_ms: int) -> None:
        super().__init__()
        self.start_ns = self.now_ns = start_ms * 1_000_000

    def advance_ms(self, ms: float) -> None:
        """Time passes while somebody works."""
        self.now_ns += round(ms * 1_000_000)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Instead of waiting for files: let `timeout` pass. StateError if nobody will ever wake up."""
        if timeout is None:
            raise StateError("everybody waits for somebody else")
        self.now_ns += math.ceil(max(0.0, timeout) * 1e9)
        return []


class _VirtualLoop(asyncio.SelectorEventLoop):
    def __init__(self, time: VirtualTime) -> None:
        super().__init__(time)
        self._virtual = time

    def time(self) -> float:
        return (self._virtual.now_ns - self._virtual.start_ns) / 1e9  # small numbers: a float keeps their nanoseconds


def run(main: Coroutine[Any, Any, T], time: VirtualTime) -> T:
    """Run to the end in this time; tasks still waiting then are cancelled."""
    with simulated(lambda: time.now_ns), asyncio.Runner(loop_factory=lambda: _VirtualLoop(time)) as runner:
        return runner.run(main)
