"""A worker's pieces on a log in memory that answers when it is told to."""

import asyncio
from collections.abc import Iterable

import numpy as np
from on_kafka import event
from prometheus_client import CollectorRegistry

from streamrec.clock import now_ms
from streamrec.contracts.records import RawRecord
from streamrec.engine.policy.suppression_reasons import SUPPRESSION_REASONS
from streamrec.observability.metrics import Metrics
from streamrec.partition.intake import Batch
from streamrec.partition.partition import Partition
from streamrec.settings import Settings
from streamrec.tools.chaos.memory_log import MemoryLog
from streamrec.tools.chaos.process_log import ProcessLog
from streamrec.worker.commit.partition_commit import Names
from streamrec.worker.reporting.metrics_recorder import MetricsRecorder
from streamrec.worker.writing.catch_up import OtherPartitions
from streamrec.worker.writing.writer import PartitionWriter

LATE_S = 0.005, 0.1, 0.3  # of markers: here nobody turns the clock forward


class SlowLog(ProcessLog):
    """One process's view of `broker`; every request waits while `answers` is clear."""

    def __init__(self, broker: MemoryLog | None = None) -> None:
        self.broker = broker or MemoryLog(np.random.default_rng(1), late_s=LATE_S)
        self.answers = asyncio.Event()
        self.answers.set()
        self.asked = 0
        super().__init__(self.broker, self._answered)

    async def _answered(self) -> None:
        self.asked += 1
        await self.answers.wait()


def recorder(settings: Settings) -> MetricsRecorder:
    """Into series of its own."""
    return MetricsRecorder(Metrics(CollectorRegistry(), SUPPRESSION_REASONS), settings)


def writer_on(
    log: ProcessLog, partition: Partition, settings: Settings, errors: list[BaseException],
    others: OtherPartitions | None = None,
) -> PartitionWriter:  # fmt: skip
    """Not started; what would end its process goes into `errors`."""
    names = Names("changelog", "push", "rerouted")
    return PartitionWriter(partition, settings, log, names, recorder(settings), errors.append, others=others)


async def offer_clicks(writer: PartitionWriter, users: Iterable[str]) -> None:
    """A click of each, in batches of one, with some time between them; they stand in the log as well."""
    assert isinstance(writer._log, SlowLog)
    for offset, user in enumerate(users):
        record = RawRecord(offset, now_ms(), user.encode(), event(user, "a").value)
        writer._log.broker.append("events", writer.number, record, "committed")
        await writer.offer(Batch("events", [record], offset + 1), offset)
        await asyncio.sleep(0.01)
