"""One open transaction per partition, two transactional ids in turn.

After EndTxn the broker writes markers for a few ms, and the next transaction of the same id waits for them. With a
second id the next one begins at once: 7-11 ms a transaction instead of 30-39 (500 rows and 25 pushes, one partition).
Starting both ids fences whoever had them before and aborts what that one left open.

A commit that nobody answered ends the epoch of its producer (producer.py). Then the log says what became of it: readers
of committed records see no further than the first open transaction, so once they are past its first record it is
decided, and committed if that record is among what they read. If it was aborted, the same is written again.

A batch that comes late, after its repetition was acknowledged, can reach a partition before the next transaction does.
Kafka then remembers its sequence number as the first of that transaction (since 3.7, while it asks the coordinator
whether there is one) and refuses the right one as out of order, for as long as the epoch lasts. So the transaction is
aborted, and written again in the next epoch.

Whoever writes through `Transactions` notices nothing of all this but the time it takes.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiokafka.errors import IllegalOperation, OutOfOrderSequenceNumber
from aiokafka.errors import KafkaError as ClientError

from ..contracts.limits import BATCH_BYTES
from ..contracts.record_size import headers_bytes, record_bytes
from ..contracts.records import DeadLetter, Stray
from ..errors import KafkaError
from .log import Log, Producer, read_all
from .producer import CommitInDoubt

log = logging.getLogger(__name__)

# of what does not fit whole: key, value and headers of a dead letter, each; above what a good record's value may have
LETTER_BYTES = (BATCH_BYTES - 30_000) // 3
IT_IS, IT_IS_NOT = "it had taken effect", "it had not, so the same is written again"
NO_HEADERS: list[tuple[str, bytes]] = []  # one for all records: nobody adds to it
HEARD_S = 1.0  # a batch that was in flight when its producer failed may never be told


class Message(NamedTuple):
    """A record to be sent to a partition that the sender names."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()
    timestamp_ms: int | None = None  # None: now


def reroute(stray: Stray) -> Message:
    """A stray as it came, with the time of its first append."""
    return Message(stray.user_id.encode(), stray.value, stray.headers, stray.timestamp)


def set_aside(letter: DeadLetter) -> Message:
    """A dead letter as a record. What is too long for a batch is cut, and the lengths it had are said in headers.

    A compressed record can be longer than any we may send, and one that cannot be set aside would stop its partition.
    The lengths are there, too, if the record brings headers of these names: the first of a name is ours.
    """
    key, value, trail = letter.key, letter.value, letter.trail
    lengths = {"key": len(key or b""), "value": len(value or b""), "headers": headers_bytes(trail)}
    ours = letter._replace(trail=()).headers()
    said = [(f"streamrec-{part}-bytes", str(length).encode()) for part, length in lengths.items()]
    cut = record_bytes(key, value, [*ours, *said, *trail]) > BATCH_BYTES
    if cut:
        key, value, trail = key and key[:LETTER_BYTES], value and value[:LETTER_BYTES], _fitting(trail)
    if cut or any(name == mine for name, _ in trail for mine, _ in said):
        ours += said
    return Message(key, value, [*ours, *trail])


def _fitting(headers: Sequence[tuple[str, bytes]]) -> list[tuple[str, bytes]]:
    """Those that find room, each whole: one that is long does not push out the short ones behind it."""
    kept, left = [], LETTER_BYTES
    for header in headers:
        if (length := headers_bytes([header])) <= left:
            kept.append(header)
            left -= length
    return kept


class Transactions:
    """The two producers of one transactional name, used in turn; no earlier owner commits once they have started."""

    def __init__(self, name: str, log: Log) -> None:
        self._name, self._log = name, log
        self._producers = [log.producer(f"{name}-{turn}") for turn in (0, 1)]
        self._turn = 0

    async def start(self) -> None:
        """Take over both ids: from here on no earlier owner can commit."""
        await asyncio.gather(*(producer.start() for producer in self._producers))

    async def stop(self) -> None:
        """Close; an open transaction is left to be aborted by the next owner."""
        await asyncio.gather(*(producer.stop() for producer in self._producers), return_exceptions=True)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["Writes"]:
        """A transaction that commits on leaving the block; raises what really ended it, ProducerFenced above all."""
        producer = self._producers[self._turn]
        await producer.begin_transaction()
        writes = Writes(producer)
        try:
            yield writes
            while not await self._committed(writes):
                await writes.again(self._producers[self._turn])
        except (ClientError, IllegalOperation) as error:
            cause = await writes.cause(error)
            if cause is error:
                raise
            raise cause from (cause.__cause__ if cause is error.__cause__ else error)  # and not from each other
        self._turn = 1 - self._turn

    async def _committed(self, writes: "Writes") -> bool:
        """Whether what was sent is committed; after any doubt the id is in its next epoch."""
        producer, in_doubt = self._producers[self._turn], False
        try:
            await writes.acknowledged()
            await producer.commit_transaction()
        except CommitInDoubt:
            in_doubt = True
        except OutOfOrderSequenceNumber:
            await writes.answered()
            self._producers[self._turn] = await producer.renewed()
            log.warning("%s: a late copy of an earlier batch was in the way; the same is written again", self._name)
            return False
        if producer.in_doubt:
            self._producers[self._turn] = await producer.renewed()
        if not in_doubt:
            return True
        committed = await writes.are_committed(self._log)
        log.warning("%s: a commit was not answered; %s", self._name, IT_IS if committed else IT_IS_NOT)
        return committed


class Writes:
    """Sends records within one open transaction, and knows which of them the broker has acknowledged."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._messages: list[tuple[str, int, list[Message]]] = []  # by topic and partition
        self._sent: list[asyncio.Future[Any]] = []

    async def send(self, topic: str, partition: int, messages: Iterable[Message]) -> None:
        """Send messages to one partition in as few record batches as they fit into.

        The first topic that gets any must be one its writer may read, too.
        """
        messages = list(messages)
        if messages:
            self._messages.append((topic, partition, messages))
            await self._send(topic, partition, messages)

    async def again(self, producer: Producer) -> None:
        """Send the same in a new transaction of this producer."""
        self._producer, self._sent = producer, []
        await producer.begin_transaction()
        for topic, partition, messages in self._messages:
            await self._send(topic, partition, messages)

    async def _send(self, topic: str, partition: int, messages: Sequence[Message]) -> None:
        builder = None
        for key, value, headers, timestamp_ms in messages:
            trail = list(headers) if headers else NO_HEADERS
            if builder is not None:
                if builder.append(timestamp=timestamp_ms, key=key, value=value, headers=trail) is not None:
                    continue
                await self._flush(builder, topic, partition)
            builder = self._producer.create_batch()
            builder.append(timestamp=timestamp_ms, key=key, value=value, headers=trail)
            if (size := builder.size()) > BATCH_BYTES:  # a builder takes any size as its first
                raise KafkaError(f"a record for {topic} has {size} bytes; at most {BATCH_BYTES} can be sent")
        if builder is not None:
            await self._flush(builder, topic, partition)

    async def _flush(self, builder: object, topic: str, partition: int) -> None:
        self._sent.append(await self._producer.send_batch(builder, topic, partition=partition))

    async def acknowledged(self) -> list[Any]:
        """Wait until the broker has everything; what it said of each batch, `offset` of the first record among it."""
        return await asyncio.gather(*self._sent)

    async def answered(self) -> None:
        """Wait until the broker has taken or refused every batch, so that none is on its way any more."""
        await asyncio.gather(*self._sent, return_exceptions=True)

    async def are_committed(self, log: Log) -> bool:
        """Whether readers of committed records get the first of them; waits until that is decided."""
        topic, partition, _ = self._messages[0]
        first = (await self._sent[0]).offset
        async with log.reader() as reader:
            return bool(await read_all(reader, topic, partition, before=first + 1, through=first, start=first))

    async def cause(self, error: Exception) -> BaseException:
        """What ended the transaction of which `error` was heard last.

        Once a transaction has failed, aiokafka refuses each further send with IllegalOperation: only the batches sent
        before were told why. What it did not expect it wraps in a KafkaError that says nothing.
        """
        if isinstance(error, IllegalOperation) and self._sent:
            done, _ = await asyncio.wait(self._sent, timeout=HEARD_S, return_when=asyncio.FIRST_EXCEPTION)
            failed = [failure for batch in done if (failure := batch.exception()) is not None]
            return _unwrapped(failed[0]) if failed else error
        return _unwrapped(error)


def _unwrapped(error: BaseException) -> BaseException:
    return error.__cause__ if type(error) is ClientError and isinstance(error.__cause__, ClientError) else error
