"""The audit trail as the desk knows it: every command of the topic `control`, and what of it is in effect.

Each command stands in every partition, so one is read. Nothing is kept elsewhere: the topic is the trail. A record that
cannot be read is no command to a worker either, and its dead letter says so; it is counted here.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import NamedTuple
from zlib import crc32

from aiokafka import TopicPartition

from ..clock import now_ms
from ..contracts.control import Command
from ..contracts.control_parsing import command_of
from ..contracts.records import Record, RejectedError
from ..engine.control import ControlState, Statement, Target, TargetKind
from ..kafka.clients import AIOKafkaConsumer, consumer
from ..settings import Settings

log = logging.getLogger(__name__)

ON_ARTICLES: tuple[TargetKind, ...] = ("article", "retract", "correct", "approve")
PINNED = {"daily_cap": "Pushes a day", "min_affinity": "Interest needed", "min_score": "Likelihood needed"}
MOST = 100_000  # commands that are kept to be looked at, the latest


class InEffect(NamedTuple):
    """A stop, a hold, a pin, ...: what it is about, and who said so when and why."""

    target: Target
    said: Statement
    why: str

    @property
    def what(self) -> str:
        """In a few words."""
        kind, name = self.target
        words = {"everything": "All pushes are stopped", "category": f"Pushes in {name} are stopped"}
        words |= {"article": "Held", "retract": "Taken back", "correct": "Corrected", "approve": "Approved"}
        return words.get(kind, f"{PINNED.get(name, name)}: {self.said.value:g}")


class Trail:
    """What was commanded, in order."""

    def __init__(self) -> None:
        self.commands: list[Command] = []
        self.unreadable = 0
        self.newest_ms = 0  # of what was commanded so far
        self.state = ControlState()
        self._why: dict[str, str] = {}
        self._seen: set[str] = set()

    def take(self, records: Sequence[Record]) -> None:
        """Records of one partition of `control`, in order. A command that was sent twice is one."""
        for record in records:
            try:
                command, _ = command_of(record)
            except RejectedError:
                self.unreadable += 1
                continue
            self.state.apply(command)
            self.newest_ms = max(self.newest_ms, command.at_ms)
            if command.command_id and command.command_id in self._seen:
                continue
            self._seen.add(command.command_id)
            self._why[command.command_id] = command.why
            self.commands.append(command)
        if len(self.commands) > MOST:
            del self.commands[: len(self.commands) - MOST]

    def moment_ms(self) -> int:
        """Now, and later than any command there is: whoever commands has seen those, however clocks differ."""
        return max(now_ms(), self.newest_ms + 1)

    def in_effect(self, *kinds: TargetKind) -> list[InEffect]:
        """What of these kinds is on now, the latest first."""
        self.state.lift_ended(now_ms())
        return [
            InEffect(target, said, self._why.get(said.command_id, ""))
            for target, said in self.state.in_effect()
            if target.kind in kinds
        ]

    def stops(self) -> list[InEffect]:
        """What is stopped now."""
        return self.in_effect("everything", "category")

    def state_key(self) -> str:
        """Another one whenever what is stopped is another."""
        return f"{crc32(repr([(one.target, one.said) for one in self.stops()]).encode()):08x}"

    def about(self, article_id: str) -> list[InEffect]:
        """What is said of an article, and counts."""
        return [one for one in self.in_effect(*ON_ARTICLES) if one.target.name == article_id]


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
