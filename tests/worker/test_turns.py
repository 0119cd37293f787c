"""When a writer applies what it is offered: together between two transactions, at once when a batch is full."""

import asyncio
from collections.abc import Iterator

import numpy as np
from making import AffinityScores, policy
from on_kafka import event, until
from prometheus_client import CollectorRegistry

from streamrec.changes import Changes
from streamrec.chaos.memory_log import MemoryLog, ProcessLog
from streamrec.contracts.records import RawRecord
from streamrec.intake import Batch
from streamrec.metrics import Metrics
from streamrec.partition import Partition, Settled
from streamrec.policy.reasons import SUPPRESSION_REASONS
from streamrec.settings import load
from streamrec.worker.counting import Counting
from streamrec.worker.writer import PartitionWriter
from streamrec.worker.written import Names


class Watched(Partition):
    """Notes the size of each batch."""

    def __init__(self, settled: Settled) -> None:
        super().__init__(settled)
        self.sizes: list[int] = []

    def apply(self, batch: Batch, now_ms: int) -> Iterator[Changes]:
        self.sizes.append(len(batch.records))
        return super().apply(batch, now_ms)


async def sizes_applied(batch_events: int) -> tuple[list[int], list[int]]:
    """A record is offered, and seven more while its transaction is in flight; sizes applied by then, and in all."""
    broker_answers = asyncio.Event()
    broker_answers.set()

    async def step() -> None:
        await broker_answers.wait()

    settings = load({}, batch_events=batch_events)
    partition = Watched(Settled(0, policy(), AffinityScores()))
    log = ProcessLog(MemoryLog(np.random.default_rng(1)), step)
    counting = Counting(Metrics(CollectorRegistry(), SUPPRESSION_REASONS), settings)
    errors: list[BaseException] = []
    writer = PartitionWriter(partition, settings, log, Names("changelog", "push", "rerouted"), counting, errors.append)
    await writer.start()
    broker_answers.clear()
    for offset in range(8):
        record = RawRecord(offset, 1, b"u", event("u", "a").value)
        await writer.offer(Batch("events", [record], offset + 1), offset)
        await asyncio.sleep(0.01)
    in_flight = list(partition.sizes)
    broker_answers.set()
    await until(lambda: writer.committed.get("events") == 8)
    await writer.stop()
    assert not errors
    return in_flight, partition.sizes


async def test_what_waits_for_a_transaction_is_applied_as_one_batch() -> None:
    """One fixed cost instead of seven."""
    assert await sizes_applied(1000) == ([1], [1, 7])


async def test_a_full_batch_does_not_wait() -> None:
    """Under a backlog it goes into the transaction after this one while this one is in flight."""
    in_flight, sizes = await sizes_applied(3)
    assert in_flight == [1, 3, 3]
    assert sizes == [1, 3, 3, 1]
