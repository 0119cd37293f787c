"""How far the consumer group has come, asked for from outside of it: a request to each broker, and one to its
coordinator, however many partitions there are. The group's offsets follow what is committed once a second.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from ..errors import KafkaError
from ..kafka.clients import AIOKafkaConsumer, admin, consumer
from ..settings import Settings

Isolation = Literal["read_committed", "read_uncommitted"]


class GroupProgress:
    """Where the inputs of a deployment end and how far its group is, by partition; topics are named without prefix."""

    def __init__(self, settings: Settings, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient) -> None:
        self._settings, self._consumer, self._admin = settings, consumer, admin

    async def end_offsets(self, topic: str) -> dict[int, int]:
        """The next offset of each partition; with read_committed, before the first open transaction."""
        return {tp.partition: end for tp, end in (await self._consumer.end_offsets(self._all(topic))).items()}

    async def committed_offsets(self, topic: str) -> dict[int, int]:
        """The offset of the group in each partition, 0 where it has none. KafkaError if some is not told."""
        tps = self._all(topic)
        told = await self._admin.list_consumer_group_offsets(self._settings.group_id, partitions=tps)
        if missing := [tp.partition for tp in tps if tp not in told]:
            raise KafkaError(f"the offsets of group {self._settings.group_id} in {topic} are not told: {missing[:9]}")
        return {tp.partition: max(0, told[tp].offset) for tp in tps}

    def _all(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(self._settings.topic(topic), number) for number in range(self._settings.partitions)]


@asynccontextmanager
async def group_progress(settings: Settings, isolation: Isolation) -> AsyncIterator[GroupProgress]:
    """Ask about the group while the block lasts, with connections of its own that join no group."""
    async with admin(settings) as administering, consumer(settings, isolation_level=isolation) as reading:
        yield GroupProgress(settings, reading, administering)
