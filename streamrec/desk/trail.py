"""The audit trail as the desk knows it: every command of the topic `control`, read as it grows.

Each command stands in every partition, so one is read. Nothing is kept elsewhere: the topic is the trail. A record that
cannot be read is no command to a worker either, and its dead letter says so; it is counted.
"""

import asyncio
from zlib import crc32

from aiokafka import TopicPartition

from ..kafka.clients import AIOKafkaConsumer, consumer
from ..operations.control import Trail
from ..settings import Settings


def state_key(trail: Trail) -> str:
    """Another one whenever what is stopped is another."""
    return f"{crc32(repr([(one.target, one.said) for one in trail.stops()]).encode()):08x}"


class FollowedTrail(Trail):
    """The trail of a cluster, read from its beginning and then as it grows."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._consumer: AIOKafkaConsumer | None = None
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read what is there; then follow."""
        where = TopicPartition(self._settings.topic("control"), 0)
        self._consumer = consumer(self._settings, isolation_level="read_committed", auto_offset_reset="earliest")
        await self._consumer.start()
        self._consumer.assign([where])
        await self._consumer.seek_to_beginning(where)
        end = (await self._consumer.end_offsets([where]))[where]
        while await self._consumer.position(where) < end:
            await self._read(where)
        self._task = asyncio.create_task(self._follow(where))

    async def stop(self) -> None:
        """Close the connection."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._consumer is not None:
            await self._consumer.stop()

    async def _follow(self, where: TopicPartition) -> None:
        while True:
            await self._read(where)

    async def _read(self, where: TopicPartition) -> None:
        assert self._consumer is not None
        found = await self._consumer.getmany(where, timeout_ms=100)
        for records in found.values():
            self.take(records)
