"""A transactional producer on the log in memory, which does what ours does on Kafka (kafka/producer.py).

Requests without an answer are repeated, except a commit; and none but a commit that was answered is the last of its
epoch.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from aiokafka.errors import ConcurrentTransactions, IllegalOperation, InvalidTxnState, OutOfOrderSequenceNumber
from aiokafka.errors import KafkaError as ClientError

from ...clock import now_ms
from ...contracts.limits import BATCH_BYTES
from ...contracts.record_size import record_bytes
from ...contracts.records import RawRecord
from ...kafka.producer import CommitInDoubt
from .memory_log import MemoryLog
from .memory_network import Step, Unanswered

FORGOTTEN = 0.3  # of starts: the coordinator no longer knows of a commit it has accepted
T = TypeVar("T")


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
    """kafka.log.Producer of one epoch, which follows epoch `follows`, or whichever is the latest."""

    def __init__(self, broker: MemoryLog, step: Step, transactional_id: str, follows: int | None = None) -> None:
        self._broker, self._step, self._id, self._follows = broker, step, transactional_id, follows
        self.in_doubt = False
        self._epoch = 0
        self._failed = False  # for good
        self._added: set[tuple[str, int]] = set()  # to the transaction that is open
        self._sequences: Counter[tuple[str, int]] = Counter()
        self._in_order = asyncio.Lock()

    async def start(self) -> None:
        """Fence earlier producers of this id and abort what they left open."""
        if self._broker.rng.random() >= FORGOTTEN:
            await self._broker.marked(self._id)
        self._epoch = await self._repeated(partial(self._broker.begin_epoch, self._id, self._follows))

    async def stop(self) -> None:
        """Stop without ending an open transaction, as a process does that dies."""
        await self._step()

    async def renewed(self) -> "MemoryProducer":
        """As kafka.log.Producer says."""
        with suppress(InvalidTxnState):
            await self._repeated(partial(self._broker.end_transaction, self._id, self._epoch, "aborted"))
        following = MemoryProducer(self._broker, self._step, self._id, self._epoch)
        await following.start()
        return following

    async def begin_transaction(self) -> None:
        """Begin a transaction, of which the broker hears with its first batch, as with aiokafka."""
        self._added.clear()
        await self._step()

    def create_batch(self) -> Builder:
        """A batch without records, to be filled and sent."""
        return Builder()

    async def send_batch(self, batch: Builder, topic: str, *, partition: int) -> "asyncio.Future[RawRecord]":
        """On its way; the future answers when it is written. Refused, as aiokafka does, once an earlier one failed."""
        if self._failed:
            raise IllegalOperation("Can't send messages while not in transaction")
        return asyncio.ensure_future(self._write(batch, (topic, partition)))

    async def _write(self, batch: Builder, to: tuple[str, int]) -> RawRecord:
        """The first record, as it was written."""
        async with self._in_order:
            try:
                if to not in self._added:
                    await self._add(to)
                sequence, self._sequences[to] = self._sequences[to], self._sequences[to] + 1
                write = partial(self._broker.write, self._id, self._epoch, to, sequence, batch.records)
                return await self._repeated(write)
            except OutOfOrderSequenceNumber:
                raise
            except ClientError:
                self._failed = True
                raise

    async def _add(self, to: tuple[str, int]) -> None:
        doubt = self.in_doubt
        while to not in self._added:
            try:
                await self._requested(partial(self._broker.add, self._id, self._epoch, to))
                self._added.add(to)
            except Unanswered:
                doubt = True
            except ConcurrentTransactions:
                await self._broker.marked(self._id)
        self.in_doubt = doubt

    async def commit_transaction(self) -> None:
        """Commit: all that was sent becomes visible at once. CommitInDoubt if nobody answered."""
        async with self._in_order:
            end = partial(self._broker.end_transaction, self._id, self._epoch, "committed")
            try:
                await self._requested(end)
            except Unanswered:
                self.in_doubt = True
                raise CommitInDoubt from None

    async def _repeated(self, effect: Callable[[], T]) -> T:
        """What is answered at last, however often it had to be asked for."""
        while True:
            try:
                return await self._requested(effect)
            except Unanswered:
                continue

    async def _requested(self, effect: Callable[[], T]) -> T:
        return await self._broker.network.request(self._step, self._id, effect)
