"""Workers under a supervisor that starts again what ends, as an orchestrator would."""

import asyncio
import os
import signal
from collections import Counter
from pathlib import Path

from ...clock import monotonic_s
from ...errors import KafkaError
from ...settings import Settings
from ..worker_process import WorkerProcess


class Fleet:
    """Worker processes of one deployment; each has a log of its own in `folder`. The first may have other settings."""

    def __init__(self, settings: Settings, folder: Path, size: int, first: Settings | None = None) -> None:
        self._settings, self._folder, self._first = settings, folder, first or settings
        self.workers: list[WorkerProcess] = []
        self.wanted: set[int] = set()
        self.exits: Counter[int] = Counter()  # by exit code; a negative one is a signal
        for _ in range(size):
            self.join()

    def join(self) -> int:
        """Start a worker more; answers with its number."""
        number = len(self.workers)
        settings = self._settings if self.workers else self._first
        self.workers.append(WorkerProcess(settings, self._folder / f"worker-{number}.log"))
        self.wanted.add(number)
        self.workers[number].ensure()
        return number

    async def supervise(self) -> None:
        """For ever: start again what ended and is wanted."""
        while True:
            for number in sorted(self.wanted):
                code = self.workers[number].exit_code()
                if code is not None:
                    self.exits[code] += 1
                    self.workers[number].ensure()
            await asyncio.sleep(0.3)

    async def ready(self, wait_s: float = 90.0) -> None:
        """Until every wanted worker owns partitions; KafkaError if that takes too long."""
        deadline = monotonic_s() + wait_s
        while not all([await asyncio.to_thread(self.workers[number].is_ready) for number in self.wanted]):
            if monotonic_s() > deadline:
                raise KafkaError(f"the workers were not ready within {wait_s:.0f} s: {self.workers[0].last_line()}")
            await asyncio.sleep(0.2)

    async def until_others_move(self, number: int, wait_s: float) -> None:
        """Until a worker other than this one has let go of its partitions, as in a rebalance, or so many seconds."""
        deadline, others = monotonic_s() + wait_s, [self.workers[other] for other in self.wanted - {number}]
        while monotonic_s() < deadline:
            if not all(await asyncio.gather(*(asyncio.to_thread(other.is_ready) for other in others))):
                return
            await asyncio.sleep(0.02)

    def signal(self, number: int, what: signal.Signals) -> None:
        """Send a signal to one worker, if it runs."""
        if self.workers[number].exit_code() is None:
            os.kill(self.workers[number].pid, what)

    async def leave(self, number: int) -> int | None:
        """End a worker by SIGTERM and do not start it again; its exit code."""
        self.wanted.discard(number)
        code = await asyncio.to_thread(self.workers[number].stop)
        if code is not None:
            self.exits[code] += 1
        return code

    def stop(self) -> None:
        """End all workers for good, those that a SIGSTOP holds too."""
        self.wanted.clear()
        for number, worker in enumerate(self.workers):
            self.signal(number, signal.SIGCONT)
            worker.stop()
