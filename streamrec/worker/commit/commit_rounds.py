"""The transactions of one process go in rounds: all partitions apply what waits for them, begin together, and apply
again when the last has ended.

They share one event loop. A transaction needs some ten turns of it and applying a batch stops it for milliseconds, so
transactions that overlap with the applying of other partitions take several times as long as those that do not.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ...clock import monotonic_s

# A slow partition is waited for no longer. 0.05 broke the rounds of a busy machine: p99 138 ms instead of 118.
PATIENCE_S = 0.2


class CommitRounds:
    """The partitions of a process with a transaction in flight, so that all of them begin the next one together."""

    def __init__(self) -> None:
        self._flying: dict[int, float] = {}  # partition -> since when
        self._waiting: set[asyncio.Event] = set()

    def on(self) -> bool:
        """Whether a transaction is in flight, and not for long."""
        return any(monotonic_s() - since_s < PATIENCE_S for since_s in self._flying.values())

    def wake(self, event: asyncio.Event) -> None:
        """Have `event` set, once, when no transaction of the process is in flight any more."""
        self._waiting.add(event)

    @contextmanager
    def flight(self, partition: int) -> Iterator[None]:
        """A block in which the partition's transaction is in flight; leaving the last such block wakes who waits."""
        self._flying[partition] = monotonic_s()
        try:
            yield
        finally:
            del self._flying[partition]
            if not self._flying:
                for event in self._waiting:
                    event.set()
                self._waiting.clear()

    async def over(self) -> None:
        """Wait for the end of the round, and until those it woke have applied what waits for them."""
        if self.on():
            self.wake(over := asyncio.Event())
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), PATIENCE_S)
            self._waiting.discard(over)  # a slow broker may leave somebody in flight at all times
        await asyncio.sleep(0)
