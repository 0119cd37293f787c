"""What a partition's writer needs of a log: Kafka in the worker, memory in `streamrec chaos --simulate`.

The writer, its transactions and its recovery are the same code on both.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NamedTuple, Protocol

from aiokafka import TopicPartition

from ..clock import monotonic_s
from ..contracts.limits import BATCH_BYTES
from ..contracts.records import Record
from ..errors import KafkaError
from ..settings import Settings
from .clients import AIOKafkaConsumer, consumer, transactional_producer
from .producer import TransactionalProducer

KEPT_S = 1.0
UNDECIDED_S = 30.0  # beyond its timeout: brokers look for transactions to abort every 10 s


class Producer(Protocol):
    """A transactional producer, as transactions.py uses it; what aiokafka's does not have is in producer.py."""

    @property
    def in_doubt(self) -> bool:
        """Whether a request of this epoch may still come late: no transaction may begin in it any more."""
        ...

    async def renewed(self) -> "Producer":
        """The producer of the next epoch, started; ProducerFenced if somebody else has taken over the id."""
        ...

    async def start(self) -> None:
        """Take the transactional id over: earlier producers of it cannot commit any more."""

    async def stop(self) -> None: ...

    async def begin_transaction(self) -> None: ...

    async def commit_transaction(self) -> None:
        """Commit; CommitInDoubt if nobody answered."""

    def create_batch(self) -> Any: ...

    async def send_batch(self, batch: Any, topic: str, *, partition: int) -> "asyncio.Future[Any]": ...


class Reader(Protocol):
    """Reads committed records of single partitions, outside of any consumer group."""

    async def beginnings(self, topics: Sequence[str], partition: int) -> dict[str, int]:
        """First offset that still exists in each topic's partition."""
        ...

    async def ends(self, topics: Sequence[str], partition: int) -> dict[str, int]:
        """Offset after the last record of each topic's partition, committed or not."""
        ...

    def read(
        self,
        topic: str,
        partition: int,
        before: int | None = None,
        since_ms: int = 0,
        through: int = -1,
        start: int = 0,
    ) -> AsyncIterator[Sequence[Record]]:
        """Records from `start` up to the present end, or up to offset `before`; those appended before `since_ms` left
        out.

        Waits for `through`, an offset that is written but perhaps not readable yet.
        """
        ...


async def read_all(
    reader: Reader, topic: str, partition: int, before: int | None = None, since_ms: int = 0, through: int = -1,
    start: int = 0,
) -> list[Record]:  # fmt: skip
    """The records of one partition that Reader.read would give in pieces, in one list."""
    pieces = reader.read(topic, partition, before, since_ms, through, start)
    return [record async for records in pieces for record in records]


class Log(Protocol):
    """Where partitions keep their state: gives transactional producers, and readers of what is committed."""

    def producer(self, transactional_id: str) -> Producer: ...

    def reader(self) -> AbstractAsyncContextManager[Reader]: ...


class KafkaLog:
    """A Kafka cluster as a Log, with the brokers and timeouts of the settings.

    A reader that nobody needs any more is kept for a moment: a worker that takes over many partitions needs one after
    the other, and each new one connects and is told of all partitions of each topic.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._kept: dict[str, list[_Reading]] = {"read_committed": [], "read_uncommitted": []}
        self._closing: set[asyncio.Task[None]] = set()
        self._eldest: TransactionalProducer | None = None  # that has not been stopped

    def producer(self, transactional_id: str) -> TransactionalProducer:
        """A producer of this transactional id, not started yet."""
        new = transactional_producer(
            self._settings,
            sibling=self._eldest,
            transactional_id=transactional_id,
            transaction_timeout_ms=round(self._settings.transaction_timeout_s * 1000),
            max_batch_size=BATCH_BYTES,
            max_request_size=BATCH_BYTES + 100_000,
            retry_backoff_ms=10,
        )
        if self._eldest is None or self._eldest.is_stopped:
            self._eldest = new
        return new

    @asynccontextmanager
    async def reader(self) -> AsyncIterator["KafkaReader"]:
        """A reader of committed records while the block lasts; it yields whole fetches."""
        async with self.reading("read_committed") as reading:
            yield KafkaReader(reading, self, self._settings)

    @asynccontextmanager
    async def reading(self, isolation_level: str) -> AsyncIterator["_Reading"]:
        """A consumer of ours while the block lasts, new or kept; one in whose block something failed is not kept."""
        kept = self._kept[isolation_level]
        reading = kept.pop() if kept else await self._started(isolation_level)
        try:
            yield reading
        except BaseException:
            await reading.consumer.stop()
            raise
        reading.consumer.pause(*reading.consumer.assignment())
        kept.append(reading)
        closing = asyncio.create_task(_close_unless_taken(reading, kept))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    async def _started(self, isolation_level: str) -> "_Reading":
        new = consumer(
            self._settings,
            isolation_level=isolation_level,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_partition_fetch_bytes=8 * 1024 * 1024,
            fetch_max_wait_ms=50,
        )
        await new.start()
        await asyncio.sleep(0)  # its tasks have to begin: stopped before, it raises as if we had been cancelled
        return _Reading(new, set())


async def _close_unless_taken(reading: "_Reading", kept: list["_Reading"]) -> None:
    try:
        await asyncio.sleep(KEPT_S)
    finally:  # also where the loop ends
        if reading in kept:
            kept.remove(reading)
            await reading.consumer.stop()


class _Reading(NamedTuple):
    """A consumer that joins no group, and the topics it knows: a new one costs aiokafka 100 ms and all its metadata."""

    consumer: AIOKafkaConsumer
    topics: set[str]

    def assign(self, topics: Sequence[str], partition: int) -> list[TopicPartition]:
        """This partition of each; nothing is fetched before it is resumed."""
        known = self.consumer.partitions_for_topic
        others = [topic for topic in self.topics if partition in (known(topic) or ())]
        self.topics.update(topics)
        tps = [TopicPartition(topic, partition) for topic in dict.fromkeys((*topics, *others))]
        self.consumer.assign(tps)
        self.consumer.pause(*tps)
        for tp in tps:
            self.consumer.seek(tp, 0)  # without a position aiokafka would ask for one
        return tps[: len(topics)]


class KafkaReader:
    """Reads committed records with a consumer that joins no group."""

    def __init__(self, reading: _Reading, log: KafkaLog, settings: Settings) -> None:
        self._reading, self._log, self._settings = reading, log, settings
        self._patience_s = settings.transaction_timeout_s + UNDECIDED_S

    async def beginnings(self, topics: Sequence[str], partition: int) -> dict[str, int]:
        """The oldest offset each topic still has in this partition."""
        tps = self._reading.assign(topics, partition)
        return {tp.topic: offset for tp, offset in (await self._reading.consumer.beginning_offsets(tps)).items()}

    async def ends(self, topics: Sequence[str], partition: int) -> dict[str, int]:
        """As Reader says; a consumer that reads committed records is told of the end of these only."""
        async with self._log.reading("read_uncommitted") as uncommitted:
            tps = uncommitted.assign(topics, partition)
            return {tp.topic: offset for tp, offset in (await uncommitted.consumer.end_offsets(tps)).items()}

    async def read(
        self,
        topic: str,
        partition: int,
        before: int | None = None,
        since_ms: int = 0,
        through: int = -1,
        start: int = 0,
    ) -> AsyncIterator[Sequence[Record]]:
        """As Reader says. KafkaError where nothing becomes readable for longer than a transaction may be open."""
        consumer, (tp,) = self._reading.consumer, self._reading.assign([topic], partition)
        end = (await consumer.end_offsets([tp]))[tp]
        end = max(end if before is None else min(end, before), through + 1)
        since = (await consumer.offsets_for_times({tp: since_ms}))[tp] if since_ms else None
        if since is not None:
            consumer.seek(tp, max(start, since.offset))
        elif since_ms:
            return
        elif start:
            consumer.seek(tp, start)
        else:
            await consumer.seek_to_beginning(tp)
        consumer.resume(tp)
        read_s = monotonic_s()
        while (position := await consumer.position(tp)) < end:
            for records in (await consumer.getmany(tp, timeout_ms=200)).values():
                read_s = monotonic_s()
                yield records if records[-1].offset < end else [record for record in records if record.offset < end]
            if monotonic_s() - read_s > self._patience_s:
                raise KafkaError(
                    f"{topic}-{partition}: nothing can be read from offset {position} on, though {end - 1} is written:"
                    f" a transaction has been open for {self._patience_s:.0f} s, and nobody ends it; how to find"
                    " it, and whether it may be aborted: deploy/RUNBOOK.md, WorkerNotReady"
                )
