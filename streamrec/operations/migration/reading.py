"""What a move reads of a deployment: committed records, poison, who is still at work. And transactions in its name."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from aiokafka import TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError

from ...clock import monotonic_s
from ...contracts.records import Record
from ...errors import SettingsError
from ...kafka.clients import AIOKafkaConsumer, admin, consumer
from ...kafka.log import KafkaLog
from ...kafka.transactions import Transactions
from ...settings import Settings
from ...worker.recovery.dead_letter_index import DeadLetterIndex
from ..dlq.letters import Letter
from ..dlq.reading import read

Poison = defaultdict[tuple[str, int], DeadLetterIndex]  # by topic and partition
MEMBERS = 5  # error, group, state, protocol type, protocol, members: DescribeGroups' answer


async def records_from(
    settings: Settings, topic: str, partition: int, start: int, before: int | None = None
) -> AsyncIterator[list[Record]]:
    """From `start`, or the first that still exists, up to `before`, or the present end."""
    tp = TopicPartition(topic, partition)
    async with _consumer(settings) as reading:
        reading.assign([tp])
        end = (await reading.end_offsets([tp]))[tp]
        end = end if before is None else min(end, before)
        reading.seek(tp, max(start, (await reading.beginning_offsets([tp]))[tp]))
        while await reading.position(tp) < end:
            for records in (await reading.getmany(timeout_ms=200)).values():
                yield [record for record in records if record.offset < end]


async def poison_of(settings: Settings, topics: Collection[str]) -> Poison:
    """The records of these topics (names without prefix) that were set aside as poison: it would fail here as well."""
    found = Poison(DeadLetterIndex)

    def noted(letter: Letter) -> bool:
        if letter.reason == "processing_error":
            topic, partition, offset = letter.origin
            found[topic, partition].add(offset, letter)
        return False  # nothing else of it is needed

    await read(settings, topics, noted)
    return found


@asynccontextmanager
async def transactions_of(settings: Settings, name: str | int) -> AsyncIterator[Transactions]:
    """Transactions of a deployment's partition or content agent; from here on no worker of it can commit there."""
    transactions = Transactions(f"{settings.group_id}-{name}", KafkaLog(settings))
    await transactions.start()
    try:
        yield transactions
    finally:
        await transactions.stop()


async def stopped(settings: Settings, why: str) -> None:
    """SettingsError if workers of this deployment are in its consumer group."""
    members = await _members(settings)
    if members:
        raise SettingsError(
            f"{members} workers of {settings.app_id} are running; {why}: stop them and run this again"
            f" (one that was killed, or a static member, counts for another {settings.session_timeout_s:.0f} s)"
        )


async def _members(settings: Settings) -> int:
    deadline = monotonic_s() + settings.broker_wait_s
    async with admin(settings) as asking:
        while True:
            try:
                (answer,) = await asking.describe_consumer_groups([settings.group_id])
            except GroupCoordinatorNotAvailableError:  # a cluster that had no group yet makes their topic now
                if monotonic_s() > deadline:
                    raise
                await asyncio.sleep(0.2)
                continue
            (group,) = answer.groups
            return len(group[MEMBERS])


async def articles_done(settings: Settings) -> int:
    """Where the deployment's content agent goes on in `articles`; 0 if it never was."""
    async with _consumer(settings, group_id=settings.group_id) as group:
        return int(await group.committed(TopicPartition(settings.topic("articles"), 0)) or 0)


async def set_articles_done(settings: Settings, offset: int) -> None:
    """Let it go on there; for a deployment without workers."""
    tp = TopicPartition(settings.topic("articles"), 0)
    async with _consumer(settings, group_id=settings.group_id) as group:
        group.assign([tp])
        await group.commit({tp: offset})


def _consumer(settings: Settings, group_id: str | None = None) -> AIOKafkaConsumer:
    return consumer(
        settings,
        group_id=group_id,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=8 * 1024 * 1024,
    )
