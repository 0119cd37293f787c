"""How far the workers are behind: events that were written and that no worker has taken in yet.

The end of each partition is the broker's word, the workers' place is the cursor in the followed state. Other inputs are
written in transactions, whose marks have offsets too, so only `events` gives an exact number.
"""

import asyncio

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError as ClientError

from ..clock import monotonic_s
from ..kafka.clients import AIOKafkaConsumer, consumer
from ..settings import Settings
from .sources import Followed

KEPT_S = 2.0


class WorkerLag:
    """Asks the broker now and then, by a consumer that reads nothing."""

    def __init__(self, settings: Settings, followed: Followed) -> None:
        self._settings, self._followed = settings, followed
        self._topic, self._lock = settings.topic("events"), asyncio.Lock()
        self._consumer: AIOKafkaConsumer | None = None
        self._ends: dict[int, int] = {}
        self._until_s = 0.0

    async def start(self) -> None:
        """Connect."""
        self._consumer = consumer(self._settings)
        await self._consumer.start()

    async def stop(self) -> None:
        """Close the connection."""
        if self._consumer is not None:
            await self._consumer.stop()

    async def waiting(self) -> int:
        """Events that wait; as of the last answer where the broker gives none."""
        async with self._lock:
            if monotonic_s() > self._until_s and self._consumer is not None:
                partitions = [TopicPartition(self._topic, number) for number in range(self._settings.partitions)]
                try:
                    ends = await asyncio.wait_for(self._consumer.end_offsets(partitions), KEPT_S)
                    self._ends = {tp.partition: end for tp, end in ends.items()}
                except (TimeoutError, ClientError):
                    pass  # how old everything is says the follower
                self._until_s = monotonic_s() + KEPT_S
        return sum(
            max(0, self._ends.get(partition.context.number, 0) - partition.cursor.get("events", 0))
            for partition in self._followed.partitions
        )
