"""The log in memory as one process sees it: its producers, and readers of what is committed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from ...contracts.records import RawRecord
from .memory_log import MemoryLog
from .memory_network import Step
from .memory_producer import MemoryProducer


class ProcessLog:
    """The log as one process sees it (kafka.log.Log)."""

    def __init__(self, broker: MemoryLog, step: Step) -> None:
        self._broker, self._step = broker, step

    def producer(self, transactional_id: str) -> MemoryProducer:
        """A transactional producer of this id, not started yet."""
        return MemoryProducer(self._broker, self._step, transactional_id)

    @asynccontextmanager
    async def reader(self) -> AsyncIterator["MemoryReader"]:
        """A reader of committed records while the block lasts."""
        await self._step()
        yield MemoryReader(self._broker, self._step)


class MemoryReader:
    """What kafka.log.Reader is on this log: reads what is committed, up to the first open transaction."""

    def __init__(self, broker: MemoryLog, step: Step) -> None:
        self._broker, self._step = broker, step

    async def beginnings(self, topics: Sequence[str], _: int) -> dict[str, int]:
        """The oldest offset of each topic's partition: 0, for nothing is ever deleted."""
        await self._step()
        return dict.fromkeys(topics, 0)

    async def ends(self, topics: Sequence[str], partition: int) -> dict[str, int]:
        """The offset after the last record of each topic's partition, open transactions included."""
        await self._step()
        return {topic: len(self._broker.partitions[topic, partition]) for topic in topics}

    async def read(
        self,
        topic: str,
        partition: int,
        before: int | None = None,
        since_ms: int = 0,
        through: int = -1,
        start: int = 0,
    ) -> AsyncIterator[list[RawRecord]]:
        """As Reader says; the end is asked for first, as a consumer does."""
        end = self._broker.end(topic, partition)
        await self._step()
        while end <= through:
            await asyncio.sleep(0.01)
            end = self._broker.end(topic, partition)
        end = end if before is None else min(end, before)
        records = self._broker.committed(topic, partition, start)
        records = [record for record in records if record.offset < end and record.timestamp >= since_ms]
        for at in range(0, len(records), 10):
            yield records[at : at + 10]
            await self._step()
