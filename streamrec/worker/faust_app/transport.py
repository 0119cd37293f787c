"""Batch transport: Faust's consumer hands an agent one message that holds up to N raw records of one partition.

Private names of faust and mode stand in this file and in fetching/fetcher.py, but for one in worker_app.py; those of
aiokafka also in kafka/consumer.py and kafka/producer.py. The versions are pinned; tests/worker/test_private_names.py
names each word. Stock Faust spends four futures a message; this spends them a batch. What it changes besides:

* Positions. The partition's cursor, kept in its changelog, decides where reading goes on (`perform_seek`); the group's
  committed offsets only follow it. Each batch carries where the consumer stood before it, so records dropped by a
  rebalance are noticed and fetched again, never passed over.
* Isolation. `catalog` is written in transactions, so the consumer reads committed records only.
* Commits. Offsets are taken from the cursors (`Ownership.committed`), not from acknowledged messages.
* Positions that are not in the log any more. aiokafka would go to the beginning and tell nobody. Where retention was
  faster than we, that is right, and the records are counted as lost; a position beyond the end ends the process.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import faust
from aiokafka.errors import OffsetOutOfRangeError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from ...errors import StateError
from ..fetching.fetch_lag import FetchProgress
from ..fetching.fetcher import BatchConsumerThread, Fetched, RecordBatch
from ..ownership import Ownership

A = TypeVar("A")
R = TypeVar("R")


class BatchConsumer(driver.Consumer):  # type: ignore[misc]
    """Faust's consumer that hands over batches of raw records, and goes on where the partitions' cursors say."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._expected: dict[TP, int] = {}
        self._dropped: set[TP] = set()
        self.app.member = self

    @property
    def _ownership(self) -> Ownership:
        ownership: Ownership = self.app.ownership
        return ownership

    def _new_consumer_thread(self) -> BatchConsumerThread:
        return BatchConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def _in_thread(self, ask: Callable[[A], Coroutine[Any, Any, R]], about: A) -> R:
        answer: R = await self._thread.call_thread(ask, about)
        return answer

    async def perform_seek(self) -> None:
        """Go to the cursor of each assigned partition; where there is none, to the group's offset or the beginning."""
        changelogs = {tp for tp in self.assignment() if self._is_changelog_tp(tp)}
        await self._in_thread(self._thread.leave_alone, changelogs)
        inputs = self.assignment() - changelogs
        known = {tp: self._ownership.position(tp.topic, tp.partition) for tp in inputs}
        targets = await self._in_thread(
            self._thread.group_positions, [tp for tp, offset in known.items() if offset is None]
        )
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

    async def progress(self) -> dict[TP, FetchProgress]:
        """How far each input was handed over; nothing while partitions move or recover. KafkaError as above."""
        if not self.flow_active or self.app.rebalancing:
            return {}
        found: dict[TP, FetchProgress] = {}
        inputs = self._expected.keys() & self.assignment()
        for tp, (position, end) in (await self._in_thread(self._thread.progress, inputs)).items():
            handed_over = self._expected[tp] >= self._thread.positions.get(tp, 0)  # all that was fetched
            found[tp] = FetchProgress(position if handed_over else self._expected[tp], end)
        for topic, size in (await self._in_thread(self._thread.partition_counts, {tp.topic for tp in found})).items():
            self.app.recorder.sized(topic, size)
        return found

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> Iterator[TP]:
        return (tp for tp in self.assignment() if not self._is_changelog_tp(tp) and not (topics and tp not in topics))

    def _filter_committable_offsets(self, tps: Iterable[TP]) -> dict[TP, int]:
        done = {tp: self._ownership.committed(tp.topic, tp.partition) for tp in tps}
        return {
            tp: offset
            for tp, offset in done.items()
            if offset is not None and offset > (self._committed_offset[tp] or 0)
        }

    async def commit_last(self) -> None:
        """Let the group's offsets follow the cursors once more, unless nothing was handed over yet."""
        if self._expected:
            await self.force_commit()

    def leave_group(self) -> None:
        """Be no member any more, if that can be done within a second; any thread may ask for it."""
        self._thread.leave_group()

    async def _drain_messages(self, fetcher: Any) -> None:
        while not (self.should_stop or fetcher.should_stop):
            try:
                records, _ = await self._wait_next_records(1.0)
            except OffsetOutOfRangeError as error:
                await self._skip_deleted(error.args[0])
                continue
            if self.should_stop or fetcher.should_stop:
                return
            if not self.flow_active or self.app.rebalancing:
                self._dropped.update(records or ())  # perform_seek follows; if not, they are fetched again below
                await asyncio.sleep(0.01)
                continue
            await self._fetch_dropped_again()
            for tp, fetched in (records or {}).items():
                await self._deliver(tp, fetched)

    async def _skip_deleted(self, positions: Mapping[TP, int]) -> None:
        if not self.flow_active or self.app.rebalancing:
            return  # if they are still ours after it, they are fetched again, and this comes again
        ours = self.assignment()
        try:
            passed = await self._in_thread(
                self._thread.skip_deleted, {TP(*tp): at for tp, at in positions.items() if TP(*tp) in ours}
            )
        except StateError as error:
            self.app.fail(error)
            return
        for tp, offsets in passed.items():
            self.app.recorder.lost(tp.topic, tp.partition, offsets)

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
    last, generation_id = batch.records[-1], app.consumer_generation_id
    return ConsumerMessage(
        *tp, last.offset, last.timestamp / 1000, 0, [], None, batch, None, 0, 0, tp, generation_id=generation_id
    )


class BatchTransport(driver.Transport):  # type: ignore[misc]
    """Faust's aiokafka transport with the consumer above."""

    Consumer = BatchConsumer
