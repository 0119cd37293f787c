"""What our readers said, and what still stands in the `events` of partitions they do not live in.

Producers that hash keys in another way put an event anywhere, and whoever owns that partition sends it on through
`rerouted` (intake.py). So a partition that is taken over knows all its readers have said once every partition has
applied its events up to where they ended then: what strayed stands in `rerouted` from there on. How far others are, the
group's offsets say, which follow what is committed.

Where nothing has ever been sent on nobody waits for anybody.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import TopicPartition

from ..consumer import AIOKafkaConsumer
from ..settings import Settings
from .catching_up import after_last
from .log import Log

LOOK_S = 0.3  # offsets of the group follow once a second


class Strays:
    """Of a deployment; partitions that ask at the same time are answered together."""

    def __init__(self, settings: Settings, log: Log) -> None:
        self._settings, self._log = settings, log
        self._asked = self._answered = 0
        self._busy = asyncio.Lock()

    async def sent_on(self) -> None:
        """Wait until every stray in `events`, as it is now, has been sent on; raises where brokers are away."""
        self._asked = mine = self._asked + 1
        async with self._busy:
            if self._answered < mine:
                answers = self._asked
                await self._sent_on()
                self._answered = answers

    async def _sent_on(self) -> None:
        async with self._group() as group:
            if not any((await group.end_offsets(self._all("rerouted"))).values()):
                return
            until = await group.end_offsets(self._all("events"))
            until = await self._readable(group, await _behind(group, until))
            while until := await _behind(group, until):  # noqa: ASYNC110 - other workers have no events of ours
                await asyncio.sleep(LOOK_S)

    async def _readable(self, group: AIOKafkaConsumer, ends: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Up to where there is something to apply: a marker is passed over, and no offset of the group follows it."""
        async with self._log.reader() as reader:
            return {
                tp: await after_last(reader, tp.topic, tp.partition, await group.committed(tp) or 0, end)
                for tp, end in ends.items()
            }

    @asynccontextmanager
    async def _group(self) -> AsyncIterator[AIOKafkaConsumer]:
        """Asks for the group's offsets, and is no member of it."""
        settings = self._settings
        async with AIOKafkaConsumer(
            bootstrap_servers=settings.brokers, group_id=settings.group_id, enable_auto_commit=False
        ) as consumer:
            yield consumer

    def _all(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(self._settings.topic(topic), number) for number in range(self._settings.partitions)]


async def _behind(group: AIOKafkaConsumer, until: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
    return {tp: offset for tp, offset in until.items() if offset > (await group.committed(tp) or 0)}
