"""A transactional log in memory, with what matters of Kafka's: transactional ids that are fenced by whoever starts them
next, records that are visible once committed and only up to the first open transaction, markers that take an offset and
may come late: a commit is accepted before it can be read. Whoever starts the id next waits for that, unless the
coordinator has forgotten the id meanwhile (seen on a broker that stood still). A transaction that nobody ends is
aborted after a while, and its id fenced.

Every request is a point at which the process that makes it may stand still or die, before it has an effect and after.
It shares no code with Kafka; what real brokers do is tested with real brokers.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from aiokafka.errors import IllegalOperation, ProducerFenced

from ...clock import now_ms
from ...contracts.limits import BATCH_BYTES
from ...contracts.record_size import record_bytes
from ...contracts.records import RawRecord

LATE_MARKERS, FORGOTTEN = 0.1, 0.3  # of commits; of starts
TRANSACTION_TIMEOUT_S = 60.0

Step = Callable[[], Awaitable[None]]
TopicPartition = tuple[str, int]


@dataclass
class Entry:
    """What stands at one offset of a partition, and whether readers may see it."""

    record: RawRecord
    state: Literal["open", "committed", "aborted", "marker"] = "committed"


Sent = dict[TopicPartition, list[Entry]]  # what one transaction has written so far


class MemoryLog:
    """The broker of a simulation: partitions, transactional ids and their transactions, in memory."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.marking: dict[str, asyncio.Task[None]] = {}  # id -> markers of its last commit are on their way
        self.partitions: dict[TopicPartition, list[Entry]] = defaultdict(list)
        self.epochs: dict[str, int] = defaultdict(int)
        self.open: dict[str, Sent] = {}
        self.transactions: list[Sent] = []  # those committed, in order
        self._decided: dict[TopicPartition, int] = defaultdict(int)  # offsets known to lie before any open transaction
        self.news = asyncio.Event()  # set whenever something became readable

    def append(self, topic: str, partition: int, record: RawRecord, state: Literal["open", "committed"]) -> Entry:
        """Append a record at the next offset of a partition."""
        entries = self.partitions[topic, partition]
        entries.append(Entry(record._replace(offset=len(entries)), state))
        self.news.set()
        return entries[-1]

    def committed(self, topic: str, partition: int, start: int = 0) -> list[RawRecord]:
        """Records a read-committed consumer gets from `start` on."""
        entries = self.partitions[topic, partition][start : self.end(topic, partition)]
        return [entry.record for entry in entries if entry.state == "committed"]

    def end(self, topic: str, partition: int) -> int:
        """The last stable offset of a partition: no transaction is open before it."""
        entries, at = self.partitions[topic, partition], self._decided[topic, partition]
        while at < len(entries) and entries[at].state != "open":
            at += 1
        self._decided[topic, partition] = at
        return at

    def finish(self, transactional_id: str, state: Literal["committed", "aborted"]) -> None:
        """End the open transaction of this id, if there is one."""
        sent = self.open.pop(transactional_id, None)
        if sent is None:
            return
        if state == "committed":
            self.transactions.append(sent)
        if state == "committed" and self.rng.random() < LATE_MARKERS:
            self.marking[transactional_id] = asyncio.create_task(self._mark_late(sent))
        else:
            self._mark(sent, state)

    def begin(self, transactional_id: str) -> Sent:
        """The open transaction of this id, begun if need be; it is aborted and fenced if it lasts too long."""
        if transactional_id not in self.open:
            sent = self.open[transactional_id] = {}
            asyncio.get_running_loop().call_later(TRANSACTION_TIMEOUT_S, self._expire, transactional_id, sent)
        return self.open[transactional_id]

    def _expire(self, transactional_id: str, sent: Sent) -> None:
        if self.open.get(transactional_id) is sent:
            self.epochs[transactional_id] += 1
            self.finish(transactional_id, "aborted")

    async def marked(self, transactional_id: str) -> None:
        """Wait until the last commit of this transactional id can be read."""
        marking = self.marking.get(transactional_id)
        if marking is not None:
            await asyncio.wait({marking})

    def settled(self) -> bool:
        """Whether every accepted commit can be read."""
        return all(marking.done() for marking in self.marking.values())

    async def _mark_late(self, sent: Sent) -> None:
        await asyncio.sleep(float(self.rng.choice([0.005, 0.1, 3.0])))
        self._mark(sent, "committed")

    def _mark(self, sent: Sent, state: Literal["committed", "aborted"]) -> None:
        self.news.set()
        for topic, partition in sorted(sent):
            for entry in sent[topic, partition]:
                entry.state = state
            entries = self.partitions[topic, partition]
            entries.append(Entry(RawRecord(len(entries), now_ms(), None, None), "marker"))


class ProcessLog:
    """The log as one process sees it (kafka.log.Log)."""

    def __init__(self, broker: MemoryLog, step: Step) -> None:
        self._broker, self._step = broker, step

    def producer(self, transactional_id: str) -> "MemoryProducer":
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


@dataclass
class Builder:
    """A record batch that takes records as long as they fit into BATCH_BYTES, as aiokafka's does."""

    records: list[RawRecord] = field(default_factory=list)
    length: int = 0

    def append(
        self, *, timestamp: int | None, key: bytes | None, value: bytes | None, headers: list[Any]
    ) -> object | None:
        """Add a record to the batch; None if the batch is full."""
        length = record_bytes(key, value, headers)
        if self.records and self.length + length > BATCH_BYTES:
            return None
        self.length += length
        self.records.append(RawRecord(0, now_ms() if timestamp is None else timestamp, key, value, tuple(headers)))
        return self

    def size(self) -> int:
        """Bytes of the records in the batch."""
        return self.length


class MemoryProducer:
    """kafka.log.Producer. Requests of one producer take effect in order."""

    def __init__(self, broker: MemoryLog, step: Step, transactional_id: str) -> None:
        self._broker, self._step, self._id = broker, step, transactional_id
        self._epoch = 0
        self._failed = False  # for good
        self._in_order = asyncio.Lock()

    async def start(self) -> None:
        """Fence earlier producers of this id and abort what they left open."""
        await self._step()
        if self._broker.rng.random() >= FORGOTTEN:
            await self._broker.marked(self._id)
        self._broker.finish(self._id, "aborted")
        self._broker.epochs[self._id] += 1
        self._epoch = self._broker.epochs[self._id]
        await self._step()

    async def stop(self) -> None:
        """Stop without ending an open transaction, as a process does that dies."""
        await self._step()

    async def begin_transaction(self) -> None:
        """Begin a transaction, of which the broker hears with its first batch, as with aiokafka."""
        await self._step()

    def create_batch(self) -> Builder:
        """A batch without records, to be filled and sent."""
        return Builder()

    async def send_batch(self, batch: Builder, topic: str, *, partition: int) -> "asyncio.Future[RawRecord]":
        """On its way; the future answers when it is written. Refused, as aiokafka does, once an earlier one failed."""
        if self._failed:
            raise IllegalOperation("Can't send messages while not in transaction")
        return asyncio.ensure_future(self._write(batch, topic, partition))

    async def _write(self, batch: Builder, topic: str, partition: int) -> RawRecord:
        """The first record, as it was written."""
        async with self._in_order:
            await self._step()
            await self._broker.marked(self._id)
            self._check()
            entries = [self._broker.append(topic, partition, record, "open") for record in batch.records]
            self._broker.begin(self._id).setdefault((topic, partition), []).extend(entries)
            await self._step()
            return entries[0].record

    async def commit_transaction(self) -> None:
        """Commit: all that was sent becomes visible at once."""
        async with self._in_order:
            await self._step()
            self._check()
            self._broker.finish(self._id, "committed")
            await self._step()

    def _check(self) -> None:
        if self._broker.epochs[self._id] != self._epoch:
            self._failed = True
            raise ProducerFenced
