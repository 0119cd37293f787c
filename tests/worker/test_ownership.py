"""Acquiring partitions while the group changes."""

import asyncio

import numpy as np
import pytest
from making import AffinityScores
from on_kafka import until
from slow_log import SlowLog, counting

from streamrec.chaos.memory_log import MemoryLog, ProcessLog
from streamrec.settings import load
from streamrec.worker.ownership import Ownership


class Process:
    """The partitions of one worker."""

    def __init__(self, log: ProcessLog) -> None:
        self.errors: list[BaseException] = []
        settings = load({}, partitions=2)
        counted = counting(settings)
        self.metrics = counted.metrics
        self.owned = Ownership(settings, AffinityScores(), counted, self.errors.append, "changelog", log, "")

    def ready(self) -> bool:
        """As it says."""
        return bool(self.metrics.ready._value.get())


async def test_a_rebalance_ends_what_is_being_acquired() -> None:
    """The next owner fences nobody who is at work, and the first may have its partitions back."""
    log = SlowLog()
    first, second = Process(log), Process(SlowLog(log.broker))
    log.answers.clear()
    acquiring = asyncio.create_task(first.owned.acquire([0, 1]))
    await until(lambda: log.asked > 0)
    rebalance = asyncio.create_task(first.owned.pause())
    await asyncio.sleep(0)
    log.answers.set()
    await rebalance
    assert not first.owned.writers

    await second.owned.acquire([0])
    assert not acquiring.done()
    await first.owned.assigned({1})
    await acquiring
    assert not first.ready()
    await first.owned.acquire([1])
    assert (set(first.owned.writers), set(second.owned.writers)) == ({1}, {0})
    assert first.ready()
    await first.owned.release()
    await second.owned.release()
    assert not first.errors + second.errors


async def test_what_goes_wrong_in_acquiring_is_raised() -> None:
    """A partition that cannot be recovered ends the process, and not only its task."""

    async def fails() -> None:
        raise OSError("no such disk")

    process = Process(ProcessLog(MemoryLog(np.random.default_rng(1)), fails))
    with pytest.raises(OSError, match="no such disk"):
        await process.owned.acquire([0])
    assert not process.ready()


async def test_a_worker_without_partitions_is_not_ready() -> None:
    """There are more workers than partitions: the gauge says what /ready says."""
    process = Process(SlowLog())
    await process.owned.acquire([])
    assert not process.ready()
