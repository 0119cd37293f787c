"""How far the consumer group has come, asked for from outside of it: a request to each broker, and one to its
coordinator, however many partitions there are. The group's offsets follow what is committed once a second.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Literal

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from ...contracts.records import Topic
from ...errors import KafkaError
from ...kafka.clients import AIOKafkaConsumer, admin, consumer
from ...settings import Settings

Place = tuple[Topic, int]  # an input and a partition of it
Isolation = Literal["read_committed", "read_uncommitted"]


class GroupProgress:
    """Where the inputs of a deployment end and how far its group is, by place; topics are named without prefix."""

    def __init__(self, settings: Settings, consumer: AIOKafkaConsumer, admin: AIOKafkaAdminClient) -> None:
        self._settings, self._consumer, self._admin = settings, consumer, admin

    async def end_offsets(self, *topics: Topic) -> dict[Place, int]:
        """The next offset of each partition of these; with read_committed, before the first open transaction."""
        places = self._places(topics)
        ends = await self._consumer.end_offsets(list(places))
        return {place: ends[tp] for tp, place in places.items()}

    async def committed_offsets(self, *topics: Topic) -> dict[Place, int]:
        """The offset of the group in each partition of these, 0 where it has none. KafkaError if some is not told."""
        places = self._places(topics)
        told = await self._admin.list_consumer_group_offsets(self._settings.group_id, partitions=list(places))
        if missing := [f"{tp.topic}-{tp.partition}" for tp in places if tp not in told]:
            raise KafkaError(f"offsets of group {self._settings.group_id} are not told: {', '.join(missing[:9])}")
        return {place: max(0, told[tp].offset) for tp, place in places.items()}

    def _places(self, topics: Sequence[Topic]) -> dict[TopicPartition, Place]:
        return {
            TopicPartition(self._settings.topic(name), number): (name, number)
            for name in topics
            for number in range(self._settings.partitions)
        }


@asynccontextmanager
async def group_progress(settings: Settings, isolation: Isolation) -> AsyncIterator[GroupProgress]:
    """Ask about the group while the block lasts, with connections of its own that join no group."""
    async with admin(settings) as administering, consumer(settings, isolation_level=isolation) as reading:
        yield GroupProgress(settings, reading, administering)
