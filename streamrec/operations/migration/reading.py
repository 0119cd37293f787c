"""Committed records of one partition from an offset on, and who is still at work."""

import asyncio
from collections.abc import AsyncIterator

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError

from ...clock import monotonic_s
from ...contracts.records import Record
from ...errors import SettingsError
from ...kafka.consumer import AIOKafkaConsumer
from ...settings import Settings

MEMBERS = 5  # error, group, state, protocol type, protocol, members: DescribeGroups' answer


async def records_from(
    settings: Settings, topic: str, partition: int, start: int, before: int | None = None
) -> AsyncIterator[list[Record]]:
    """From `start`, or the first that still exists, up to `before`, or the present end."""
    consumer, tp = _consumer(settings), TopicPartition(topic, partition)
    await consumer.start()
    try:
        consumer.assign([tp])
        end = (await consumer.end_offsets([tp]))[tp]
        end = end if before is None else min(end, before)
        consumer.seek(tp, max(start, (await consumer.beginning_offsets([tp]))[tp]))
        while await consumer.position(tp) < end:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                yield [record for record in records if record.offset < end]
    finally:
        await consumer.stop()


async def stopped(settings: Settings, why: str) -> None:
    """SettingsError if workers of this deployment are in its consumer group."""
    members = await _members(settings)
    if members:
        raise SettingsError(
            f"{members} workers of {settings.app_id} are running; {why}: stop them and run this again"
            f" (one that was killed, or a static member, counts for another {settings.session_timeout_s:.0f} s)"
        )


async def _members(settings: Settings) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.brokers)
    await admin.start()
    deadline = monotonic_s() + settings.broker_wait_s
    try:
        while True:
            try:
                (answer,) = await admin.describe_consumer_groups([settings.group_id])
            except GroupCoordinatorNotAvailableError:  # a cluster that had no group yet makes their topic now
                if monotonic_s() > deadline:
                    raise
                await asyncio.sleep(0.2)
                continue
            (group,) = answer.groups
            return len(group[MEMBERS])
    finally:
        await admin.close()


async def articles_done(settings: Settings) -> int:
    """Where the deployment's content agent goes on in `articles`; 0 if it never was."""
    consumer = _consumer(settings, group_id=settings.group_id)
    await consumer.start()
    try:
        return int(await consumer.committed(TopicPartition(settings.topic("articles"), 0)) or 0)
    finally:
        await consumer.stop()


async def set_articles_done(settings: Settings, offset: int) -> None:
    """Let it go on there; for a deployment without workers."""
    consumer, tp = _consumer(settings, group_id=settings.group_id), TopicPartition(settings.topic("articles"), 0)
    await consumer.start()
    try:
        consumer.assign([tp])
        await consumer.commit({tp: offset})
    finally:
        await consumer.stop()


def _consumer(settings: Settings, group_id: str | None = None) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        bootstrap_servers=settings.brokers,
        group_id=group_id,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=8 * 1024 * 1024,
    )
