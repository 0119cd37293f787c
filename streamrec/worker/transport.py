"""Batch transport: Faust's consumer hands an agent one message that holds up to N raw records of one partition.

Every private name of faust, mode and aiokafka the project touches stands in this file; the versions are pinned and
tests/worker/test_private_names.py names each of them. Stock Faust spends four futures a message; this spends them a
batch. What it changes besides:

* Positions. The partition's cursor, kept in its changelog, decides where reading goes on (`perform_seek`); the group's
  committed offsets only follow it. Each batch carries where the consumer stood before it, so records dropped by a
  rebalance are noticed and fetched again, never passed over.
* Isolation. `catalog` is written in transactions, so the consumer reads committed records only.
* Commits. Offsets are taken from the cursors (`Positions.committed`), not from acknowledged messages.
"""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import aiokafka
import faust
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from ..contracts.records import Record
from .undelivered import Progress

# A fetch in flight for idle partitions holds up the busy ones of the same broker (aiokafka has one a node): Faust's
# 1,500 ms made a p99 of a second.
FETCH_MAX_WAIT_MS = 20


class Fetched(NamedTuple):
    """Records of one partition and where the consumer stood before them."""

    start: int | None  # None: not known yet
    records: list[Record]


class RecordBatch(NamedTuple):
    """The value of a message: consecutive records of one partition."""

    start: int  # where the consumer stood before them
    records: list[Record]
    next_offset: int


class Positions(Protocol):
    """Whoever knows where each partition goes on."""

    def position(self, topic: str, partition: int) -> int | None:
        """Offset to read next; None = as the consumer group says, or the beginning."""
        ...

    def committed(self, topic: str, partition: int) -> int | None:
        """Offset up to which everything is in a committed transaction; None = nothing yet."""
        ...


class BatchConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """The thread that talks to Kafka; knows its positions at every step."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.positions: dict[TP, int] = {}

    def _create_worker_consumer(self, transport: Any) -> aiokafka.AIOKafkaConsumer:
        # the driver asks for read_committed only where Faust itself runs transactions
        self.consumer.in_transaction = True
        try:
            consumer = super()._create_worker_consumer(transport)
        finally:
            self.consumer.in_transaction = False
        consumer._fetch_max_wait_ms = FETCH_MAX_WAIT_MS
        return consumer

    async def _fetch_records(self, *args: Any, **kwargs: Any) -> dict[TP, Fetched]:
        fetched: dict[TP, Fetched] = {}
        for tp, records in (await super()._fetch_records(*args, **kwargs)).items():
            key = TP(tp.topic, tp.partition)
            fetched[key] = Fetched(self.positions.get(key), records)
            self.positions[key] = records[-1].offset + 1
        return fetched

    async def _seek_wait(self, consumer: aiokafka.AIOKafkaConsumer, partitions: Mapping[TP, int]) -> None:
        self.positions.update(partitions)
        await super()._seek_wait(consumer, partitions)

    async def leave_alone(self, tps: Iterable[TP]) -> None:
        """Do not fetch these partitions: the changelog is ours to write, and is read in bulk elsewhere."""
        await self.call_thread(self._leave_alone, list(tps))

    async def _leave_alone(self, tps: list[TP]) -> None:
        self._ensure_consumer().pause(*(aiokafka.TopicPartition(tp.topic, tp.partition) for tp in tps))

    async def group_positions(self, tps: Iterable[TP]) -> dict[TP, int]:
        """The group's committed offsets, or the beginning where there is none."""
        return dict(await self.call_thread(self._group_positions, list(tps)))

    async def _group_positions(self, tps: list[TP]) -> dict[TP, int]:
        consumer = self._ensure_consumer()
        beginnings = await consumer.beginning_offsets(tps) if tps else {}
        return {tp: await consumer.committed(tp) or beginnings[tp] for tp in tps}

    async def progress(self, tps: Iterable[TP]) -> dict[TP, tuple[int, int]]:
        """Where each partition stands and where it ends. KafkaError if the broker does not say."""
        return dict(await self.call_thread(self._progress, list(tps)))

    async def _progress(self, tps: list[TP]) -> dict[TP, tuple[int, int]]:
        consumer = self._ensure_consumer()
        ends = await consumer.end_offsets(tps) if tps else {}
        return {tp: (await consumer.position(tp), ends[tp]) for tp in tps}


class BatchConsumer(driver.Consumer):  # type: ignore[misc]
    """Faust's consumer with batches and our positions."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._expected: dict[TP, int] = {}
        self._dropped: set[TP] = set()

    @property
    def _positions(self) -> Positions:
        positions: Positions = self.app.positions
        return positions

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def perform_seek(self) -> None:
        """Go to the cursor of each assigned partition; where there is none, to the group's offset or the beginning."""
        changelogs = {tp for tp in self.assignment() if self._is_changelog_tp(tp)}
        await self._thread.leave_alone(changelogs)
        inputs = self.assignment() - changelogs
        known = {tp: self._positions.position(tp.topic, tp.partition) for tp in inputs}
        targets = await self._thread.group_positions(tp for tp, offset in known.items() if offset is None)
        targets |= {tp: offset for tp, offset in known.items() if offset is not None}
        await self._thread.seek_wait(targets)
        self._expected.update(targets)
        self._read_offset.update(targets)
        self._dropped.clear()

    async def highwaters(self, *partitions: TP) -> Mapping[TP, int | None]:
        """None, "empty", for changelogs: they are recovered in bulk, and Faust must not wait for them.

        It would wait for the last offset, which is a transaction's marker and never delivered. An offset known to be
        the last is no cure: until the old owner is fenced it may still commit.
        """
        inputs = [tp for tp in partitions if not self._is_changelog_tp(tp)]
        ends = await super().highwaters(*inputs) if inputs else {}
        return {tp: ends.get(tp) for tp in partitions}

    async def progress(self) -> dict[TP, Progress]:
        """How far each input was handed over; nothing while partitions move or recover. KafkaError as above."""
        if not self.flow_active or self.app.rebalancing:
            return {}
        found: dict[TP, Progress] = {}
        for tp, (position, end) in (await self._thread.progress(self._expected.keys() & self.assignment())).items():
            handed_over = self._expected[tp] >= self._thread.positions.get(tp, 0)  # all that was fetched
            found[tp] = Progress(position if handed_over else self._expected[tp], end)
        return found

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (tp for tp in self.assignment() if not self._is_changelog_tp(tp) and not (topics and tp not in topics))

    def _filter_committable_offsets(self, tps: Iterable[TP]) -> dict[TP, int]:
        done = {tp: self._positions.committed(tp.topic, tp.partition) for tp in tps}
        return {
            tp: offset
            for tp, offset in done.items()
            if offset is not None and offset > (self._committed_offset[tp] or 0)
        }

    async def _drain_messages(self, fetcher: Any) -> None:
        try:
            await self._drain(fetcher)
        except asyncio.CancelledError:
            # Faust forgets that it is stopping its fetcher before that has ended, and would call this a crash
            if not self.app.should_stop:
                raise

    async def _drain(self, fetcher: Any) -> None:
        while not (self.should_stop or fetcher.should_stop):
            records, _ = await self._wait_next_records(1.0)
            if self.should_stop or fetcher.should_stop:
                return
            if not self.flow_active or self.app.rebalancing:
                self._dropped.update(records or ())  # perform_seek follows; if not, they are fetched again below
                await asyncio.sleep(0.01)
                continue
            await self._fetch_dropped_again()
            for tp, fetched in (records or {}).items():
                await self._deliver(tp, fetched)

    async def _fetch_dropped_again(self) -> None:
        again = {tp: self._expected[tp] for tp in self._dropped & self._expected.keys() & self.assignment()}
        self._dropped.clear()
        if again:
            await self._thread.seek_wait(again)

    async def _deliver(self, tp: TP, fetched: Fetched) -> None:
        expected = self._expected.get(tp)
        if expected is None or self._is_changelog_tp(tp):
            return
        if fetched.start is None or fetched.start > expected:
            self._dropped.add(tp)  # something before these records was dropped
            return
        records = [record for record in fetched.records if record.offset >= expected]
        size = self.app.batch_events
        for first in range(0, len(records), size):
            part = records[first : first + size]
            next_offset = part[-1].offset + 1
            batch = RecordBatch(self._expected[tp], part, next_offset)
            await self.wait_first(self.callback(_message(tp, batch, self.app)), self.suspend_flow.wait())
            if self.suspend_flow.is_set():
                return  # a rebalance: perform_seek comes before anything else is delivered
            self._expected[tp] = next_offset
            self._read_offset[tp] = next_offset - 1


def _message(tp: TP, batch: RecordBatch, app: faust.App) -> ConsumerMessage:
    last = batch.records[-1]
    return ConsumerMessage(
        tp.topic,
        tp.partition,
        last.offset,
        last.timestamp / 1000.0,
        0,
        [],
        None,
        batch,
        None,
        0,
        0,
        tp,
        generation_id=app.consumer_generation_id,
    )


class BatchTransport(driver.Transport):  # type: ignore[misc]
    """Faust's aiokafka transport with the consumer above."""

    Consumer = BatchConsumer


class BatchApp(faust.App):  # type: ignore[misc]
    """A Faust app on the batch transport; `positions` and `batch_events` are set by build_app."""

    positions: Positions
    batch_events: int

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)
