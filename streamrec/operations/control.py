"""Commands of editors and operators, written and read: each to every partition of `control`, in one transaction.

The topic is the audit trail. A command is said at this machine's time, or a millisecond after the newest command that
stands in the topic, whichever is later: whoever gives a command could see those, so it counts, however clocks differ.
"""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError as ClientError

from ..clock import now_ms
from ..contracts.control import Command
from ..contracts.decode import Origin, Typed, decode_control
from ..contracts.records import DeadLetter
from ..engine.control import Applied, ControlState
from ..errors import KafkaError
from ..kafka.log import KafkaLog
from ..kafka.topics import require
from ..kafka.transactions import Message, Transactions
from ..settings import Settings
from .committed_records import committed_records

PATIENCE_S = 60.0


class Entry(NamedTuple):
    """One record of the audit trail: a command, or one that could not be read."""

    offset: int
    appended_ms: int
    command: Command | None
    reason: str = ""  # why it is no command


class Trail(NamedTuple):
    """All that was commanded, in order, and what counts of it."""

    entries: list[Entry]
    state: ControlState


async def read_trail(settings: Settings) -> Trail:
    """The audit trail, from one partition: all hold the same. KafkaError where it cannot be read."""
    await require(settings, "control")
    topic, trail = settings.topic("control"), Trail([], ControlState())
    async with committed_records(settings) as reader:
        tps = [TopicPartition(topic, 0)]
        async for _, records in reader.read(tps, PATIENCE_S, lambda tp: f"topic {tp.topic}"):
            for item in decode_control(records, Origin(topic, 0)):
                if isinstance(item, Typed):
                    trail.entries.append(Entry(item.offset, item.appended_ms, item.value))
                    trail.state.apply(item.value)
                elif isinstance(item, DeadLetter):
                    trail.entries.append(Entry(item.offset, 0, None, f"{item.reason} {item.detail}".strip()))
    trail.state.lift_ended(now_ms())
    return trail


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
    newest_ms = max((entry.command.at_ms for entry in trail.entries if entry.command), default=0)
    at_ms = max(now_ms(), newest_ms + 1)
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
