"""What a partition was offered and has not applied: a lane for each topic, bounded, in the order of offsets.

The bound is of records and of KiB, keys and headers included, not of batches: while an article meets everybody the
consumer gets a turn between its chunks only, and its batches are small. Eight of them made room for 800 clicks/s.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

from ...contracts.record_size import kib
from ...contracts.records import TOPICS, Topic
from ...errors import StateError
from ...partition.intake import Batch

FULL_BATCHES = 8  # of one topic waiting; more, and `put` waits


class _Lane:
    """Batches of one topic, and how much they are."""

    def __init__(self, room: int) -> None:
        self.batches: deque[Batch] = deque()
        self.records = 0
        self._size, self._room = 0, room

    def __bool__(self) -> bool:
        return bool(self.batches)

    def full(self) -> bool:
        return self._size >= self._room

    def append(self, batch: Batch) -> None:
        self.batches.append(self._counted(batch))

    def put_back(self, batch: Batch) -> None:
        self.batches.appendleft(self._counted(batch))

    def popleft(self) -> Batch:
        batch = self.batches.popleft()
        self._count(batch, -1)
        return batch

    def _counted(self, batch: Batch) -> Batch:
        batch = batch._replace(kib=kib(batch.records))
        self._count(batch, 1)
        return batch

    def _count(self, batch: Batch, sign: int) -> None:
        self.records += sign * len(batch.records)
        self._size += sign * max(1, batch.kib, len(batch.records))  # a batch without records is one, too


class Lanes:
    """Batches that one partition was offered and has not applied, each topic in the order of its offsets."""

    def __init__(self, number: int, batch_events: int) -> None:
        self.expected: dict[str, int] = {}  # next offset to be offered; ahead of the cursor by what waits here
        self._number = number
        self._lanes = {topic: _Lane(FULL_BATCHES * batch_events) for topic in TOPICS}
        self._room = asyncio.Event()
        self._closed = False

    def __bool__(self) -> bool:
        return any(self._lanes.values())

    async def put(self, batch: Batch, start: int) -> bool:
        """Take a batch in; waits while too much is waiting already. False if nothing of it is new.

        `start` is where the consumer stood before the batch; StateError where that is past what is expected next.
        """
        lane = self._lanes[batch.topic]
        while lane.full() and not self._closed:
            self._room.clear()
            await self._room.wait()
        expected = self.expected.get(batch.topic, 0)
        if self._closed:
            return False  # the partition is going to another owner, who reads these records from the cursor on
        if start > expected:
            raise StateError(
                f"{batch.topic}-{self._number}: expected offset {expected}, got {start}; records are missing"
            )
        if batch.next_offset <= expected:
            return False
        if start < expected:
            batch = batch._replace(records=[record for record in batch.records if record.offset >= expected])
        self.expected[batch.topic] = batch.next_offset
        lane.append(batch)
        return True

    def put_back(self, batches: Sequence[Batch]) -> None:
        """Batches which were taken, to be taken again before all others."""
        for batch in reversed(batches):
            self._lanes[batch.topic].put_back(batch)

    def take(self, topic: Topic, at_most: int) -> Batch:
        """The next batch, and those after it in the same one up to `at_most` records."""
        lane = self._lanes[topic]
        batches = [lane.popleft()]
        records = len(batches[0].records)
        while lane and (records := records + len(lane.batches[0].records)) <= at_most:
            batches.append(lane.popleft())
        self._room.set()
        return _joined(batches) if len(batches) > 1 else batches[0]

    def has(self, topic: Topic, at_least: int = 0) -> bool:
        """Whether a batch of the topic waits, and with it `at_least` records, or as many as there is room for."""
        lane = self._lanes[topic]
        return bool(lane) and (lane.full() or lane.records >= at_least)

    def oldest_ms(self) -> list[int]:
        """When the first record of each lane was appended, in ms since 1970; empty lanes have none."""
        heads = [lane.batches[0].records for lane in self._lanes.values() if lane]
        return [records[0].timestamp for records in heads if records]

    def close(self) -> None:
        """Take no batch in any more, and let go of who waits for room."""
        self._closed = True
        self._room.set()


def _joined(batches: Sequence[Batch]) -> Batch:
    records = [record for batch in batches for record in batch.records]
    poison = [offset for batch in batches for offset in batch.poison]
    return Batch(batches[0].topic, records, batches[-1].next_offset, poison, sum(batch.kib for batch in batches))
