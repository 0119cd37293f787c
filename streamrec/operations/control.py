"""Commands of editors and operators, written and read: each to every partition of `control`, in one transaction.

The topic is the audit trail. A command is said at this machine's time, or a millisecond after the newest command that
stands in the topic, whichever is later: whoever gives a command could see those, so it counts, however clocks differ.
"""

import uuid
from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError as ClientError

from ..clock import now_ms
from ..contracts.article import AnalysedArticle
from ..contracts.control import Command
from ..contracts.decode import Origin, Typed, decode_catalog, decode_control
from ..contracts.records import DeadLetter, Record
from ..engine.control import Applied, ControlState, Statement, Target, TargetKind
from ..errors import KafkaError
from ..kafka.log import KafkaLog
from ..kafka.topics import require
from ..kafka.transactions import Message, Transactions
from ..settings import Settings
from .committed_records import committed_records

PATIENCE_S = 60.0
MOST = 100_000  # entries that are kept to be looked at
ON_ARTICLES: tuple[TargetKind, ...] = ("article", "retract", "correct", "approve")


class Entry(NamedTuple):
    """One record of the audit trail: a command, or one that could not be read."""

    offset: int
    appended_ms: int
    command: Command | None
    reason: str = ""  # why it is no command


class InEffect(NamedTuple):
    """A stop, a hold, a pin, ...: what it is about, and who said so when and why."""

    target: Target
    said: Statement
    why: str


class Trail:
    """What was commanded, in order, and what counts of it."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []  # the latest MOST; a command that was sent twice is one
        self.state = ControlState()
        self.unreadable = 0
        self._newest_ms = 0  # of what was commanded so far
        self._why: dict[str, str] = {}  # by command

    def take(self, records: Sequence[Record]) -> None:
        """Records of one partition of `control`, in order."""
        for item in decode_control(records, Origin("control", 0)):
            if isinstance(item, Typed):
                self._take(item.value, Entry(item.offset, item.appended_ms, item.value))
            elif isinstance(item, DeadLetter):
                self.unreadable += 1
                self.entries.append(Entry(item.offset, 0, None, f"{item.reason} {item.detail}".strip()))
        del self.entries[:-MOST]

    def _take(self, command: Command, entry: Entry) -> None:
        self.state.apply(command)
        self._newest_ms = max(self._newest_ms, command.at_ms)
        if not command.command_id or command.command_id not in self._why:
            self.entries.append(entry)
        if command.command_id:
            self._why.setdefault(command.command_id, command.why)

    @property
    def commands(self) -> list[Command]:
        """Those of the entries that could be read."""
        return [entry.command for entry in self.entries if entry.command]

    def moment_ms(self) -> int:
        """Now, and later than any command there is: whoever commands has seen those, however clocks differ."""
        return max(now_ms(), self._newest_ms + 1)

    def in_effect(self, *kinds: TargetKind) -> list[InEffect]:
        """What of these kinds, or of any, is on now, the latest first."""
        self.state.lift_ended(now_ms())
        return [
            InEffect(target, said, self._why.get(said.command_id, "")) for target, said in self.state.in_effect(*kinds)
        ]

    def stops(self) -> list[InEffect]:
        """What is stopped now."""
        return self.in_effect("everything", "category")

    def about(self, article: AnalysedArticle) -> list[InEffect]:
        """What is said of an article, and counts; of approvals those of this version."""
        of_it = [one for one in self.in_effect(*ON_ARTICLES) if one.target.name == article.article_id]
        return [one for one in of_it if one.target.digest in (0, article.digest)]


async def read_trail(settings: Settings) -> Trail:
    """The audit trail, from one partition: all hold the same. KafkaError where it cannot be read."""
    await require(settings, "control")
    topic, trail = settings.topic("control"), Trail()
    async with committed_records(settings) as reader:
        tps = [TopicPartition(topic, 0)]
        async for _, records in reader.read(tps, PATIENCE_S, lambda tp: f"topic {tp.topic}"):
            trail.take(records)
    trail.state.lift_ended(now_ms())
    return trail


async def newest_versions(settings: Settings, article_ids: Collection[str]) -> dict[str, AnalysedArticle]:
    """What `catalog` holds of these articles now; none of one it does not know. KafkaError where it cannot be read."""
    await require(settings, "catalog")
    topic, found = settings.topic("catalog"), dict[str, AnalysedArticle]()
    async with committed_records(settings) as reader:
        async for _, records in reader.read([TopicPartition(topic, 0)], PATIENCE_S, lambda tp: f"topic {tp.topic}"):
            for item in decode_catalog(records, Origin(topic, 0)):
                if isinstance(item, Typed) and item.value.article_id in article_ids:
                    found[item.value.article_id] = item.value
    return found


async def write(transactions: Transactions, settings: Settings, commands: Sequence[Command]) -> None:
    """Write commands to every partition in one transaction of a started producer; errors are the client's."""
    messages = [Message(command.article_id.encode() or None, msgspec.json.encode(command)) for command in commands]
    async with transactions.begin() as writes:
        for number in range(settings.partitions):
            await writes.send(settings.topic("control"), number, messages)


async def give(settings: Settings, commands: Sequence[Command]) -> list[Applied]:
    """Write commands, without id and time, to every partition in one transaction; what each of them changes.

    KafkaError where it is not certain that they are written: `control log` tells.
    """
    trail = await read_trail(settings)
    at_ms = trail.moment_ms()
    said = [
        msgspec.structs.replace(command, at_ms=at_ms, command_id=command.command_id or uuid.uuid4().hex[:12])
        for command in commands
    ]
    # an id of its own: two persons at once do not fence one another
    transactions = Transactions(f"{settings.group_id}-control-{uuid.uuid4().hex[:12]}", KafkaLog(settings))
    try:
        await transactions.start()
        await write(transactions, settings, said)
    except ClientError as error:
        raise KafkaError(
            f"the command was perhaps not written ({type(error).__name__}); `streamrec control log` tells"
        ) from error
    finally:
        await transactions.stop()
    return [trail.state.apply(command) for command in said]
