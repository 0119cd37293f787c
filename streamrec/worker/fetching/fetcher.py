"""The thread that talks to Kafka for faust_app/transport.py: what was fetched, and where the consumer stood.

It knows a position that is not in the log any more from one that is: aiokafka is told not to go anywhere by itself.
"""

import asyncio
from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import aiokafka
from aiokafka.client import ConnectionGroup
from aiokafka.errors import NoOffsetForPartitionError
from aiokafka.protocol.group import LeaveGroupRequest
from faust.transport.drivers import aiokafka as driver
from faust.types import TP

from ...clock import monotonic_s
from ...contracts.records import Record
from ...kafka.consumer import AIOKafkaConsumer, as_read
from ..recovery.rewind import beyond_the_end

# A fetch in flight for idle partitions holds up the busy ones of the same broker (aiokafka has one a node): Faust's
# 1,500 ms made a p99 of a second.
FETCH_MAX_WAIT_MS = 20
# Where nothing came for a while all partitions are in the fetch, and it ends as soon as one has something: no record
# waits for it. Each fetch names them all: 50 a second were most of what an idle worker of many partitions did.
IDLE_FETCH_MAX_WAIT_MS = 200
IDLE_S = 1.0
LEAVE_S = 1.0  # for the broker's answer; without it, partitions have no owner until the session is over


def fetch_max_wait_ms(silent_s: float) -> int:
    """How long the next fetch may wait for records, when none came for `silent_s`."""
    return FETCH_MAX_WAIT_MS if silent_s < IDLE_S else IDLE_FETCH_MAX_WAIT_MS


class Fetched(NamedTuple):
    """Records of one partition and where the consumer stood before them."""

    start: int | None  # None: not known yet
    records: list[Record]


class RecordBatch(NamedTuple):
    """The value of a message: consecutive records of one partition."""

    start: int  # where the consumer stood before them
    records: list[Record]
    next_offset: int


class BatchConsumerThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """The thread that talks to Kafka; knows its positions at every step.

    Public methods run in it: others call them through `call_thread`.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        self.positions: dict[TP, int] = {}
        self._fetched_s = 0.0

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        # the driver asks for read_committed only where Faust itself runs transactions
        self.consumer.in_transaction = True
        try:
            consumer = super()._create_worker_consumer(transport)
        finally:
            self.consumer.in_transaction = False
        consumer._fetch_max_wait_ms = FETCH_MAX_WAIT_MS
        consumer._key_deserializer = as_read
        return consumer

    async def _fetch_records(self, *args: Any, **kwargs: Any) -> dict[TP, Fetched]:
        fetched: dict[TP, Fetched] = {}
        try:
            answer = await super()._fetch_records(*args, **kwargs)
        except NoOffsetForPartitionError:  # assigned a moment ago, and perform_seek has not come to it
            await asyncio.sleep(0.01)
            return {}
        if answer:
            self._fetched_s = monotonic_s()
        self._ensure_consumer()._fetcher._fetch_max_wait_ms = fetch_max_wait_ms(monotonic_s() - self._fetched_s)
        for tp, records in answer.items():
            key = TP(tp.topic, tp.partition)
            fetched[key] = Fetched(self.positions.get(key), records)
            self.positions[key] = records[-1].offset + 1
        return fetched

    async def _seek_wait(self, consumer: AIOKafkaConsumer, partitions: Mapping[TP, int]) -> None:
        self.positions.update(partitions)
        await super()._seek_wait(consumer, partitions)

    def leave_group(self) -> None:
        """Leave the group for good, asked by another thread, which waits at most LEAVE_S and hears of no failure."""
        with suppress(Exception):  # no consumer yet, none any more, or no answer
            asyncio.run_coroutine_threadsafe(self._leave(), self.thread_loop).result(LEAVE_S)

    async def _leave(self) -> None:
        """A static member stays: its name says that it comes back within the session, after a failure, too."""
        consumer = self._ensure_consumer()
        coordinator = consumer._coordinator
        if coordinator._group_instance_id is not None:
            return
        if not coordinator._closing.done():
            coordinator._closing.set_result(None)  # or it would join again
        while coordinator._performed_join_prepare and not coordinator.member_id:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)  # it joins for the first time, and its id is on the way
        if coordinator.member_id:
            # a broker reads no further on a connection on which a join waits for the other members
            group = ConnectionGroup.DEFAULT if coordinator._performed_join_prepare else ConnectionGroup.COORDINATION
            request = LeaveGroupRequest(coordinator.group_id, coordinator.member_id)
            await consumer._client.send(coordinator.coordinator_id, request, group=group)

    async def leave_alone(self, tps: Collection[TP]) -> None:
        """Do not fetch these partitions: the changelog is ours to write, and is read in bulk elsewhere."""
        consumer = self._ensure_consumer()
        for tp in tps:
            consumer.seek(tp, 0)  # without a position aiokafka keeps asking for one, and fetches nothing meanwhile
        consumer.pause(*(aiokafka.TopicPartition(tp.topic, tp.partition) for tp in tps))

    async def group_positions(self, tps: Collection[TP]) -> dict[TP, int]:
        """The group's committed offsets, or the beginning where there is none."""
        consumer = self._ensure_consumer()
        beginnings = await consumer.beginning_offsets(tps) if tps else {}
        return {tp: await consumer.committed(tp) or beginnings[tp] for tp in tps}

    async def progress(self, tps: Collection[TP]) -> dict[TP, tuple[int, int]]:
        """Where each partition stands and where it ends. KafkaError if the broker does not say."""
        consumer = self._ensure_consumer()
        ends = await consumer.end_offsets(tps) if tps else {}
        return {tp: (await consumer.position(tp), ends[tp]) for tp in tps}

    async def partition_counts(self, topics: Collection[str]) -> dict[str, int]:
        """How many partitions each of these topics has, as far as is known."""
        consumer = self._ensure_consumer()
        return {topic: len(consumer.partitions_for_topic(topic) or ()) for topic in topics}

    async def skip_deleted(self, positions: Mapping[TP, int]) -> dict[TP, int]:
        """Go to the beginning where retention deleted what was to be read next; how many offsets that passes over.

        StateError where the log ends before the position: what is written up to there would never be read.
        """
        consumer = self._ensure_consumer()
        beginnings = await consumer.beginning_offsets(positions)
        ends = await consumer.end_offsets(positions)
        for tp, position in positions.items():
            if position >= beginnings[tp]:
                raise beyond_the_end(tp.topic, tp.partition, position, ends[tp])
            consumer.seek(tp, beginnings[tp])
        return {tp: beginnings[tp] - position for tp, position in positions.items()}
