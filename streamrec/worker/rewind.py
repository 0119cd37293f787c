"""A cursor beyond the end of its log: the topic was made anew, or its log was cut short.

Nobody would read what is written up to the cursor, and nothing would show it. So workers refuse such a cursor, and a
person says where reading goes on: only a person knows what became of the log.

    made anew    --to beginning   what it holds was never read
    cut short    --to end         what it still holds was read; what was written again since, with old offsets, is not
"""

from typing import Literal, NamedTuple

from ..contracts.records import Topic
from ..errors import StateError
from ..kafka.log import KafkaLog
from ..kafka.topics import changelog_topic
from ..kafka.transactions import Message, Transactions
from ..partition.changelog_meta import ChangelogContent
from ..settings import Settings
from .partition_commit import barrier

Place = Literal["beginning", "end"]


class Rewound(NamedTuple):
    """A cursor that was moved to another offset, of one partition of an input topic."""

    partition: int
    was: int
    now: int


def beyond_the_end(topic: str, partition: int, position: int, end: int) -> StateError:
    """The error a worker ends with whose cursor lies beyond the end of its log: the offsets and the two cures."""
    return StateError(
        f"{topic}-{partition}: reading goes on at offset {position}, and the log ends at {end}: the topic was made anew"
        " or its log cut short, and records up to that offset would be passed over; bring the log back, or move the"
        " cursor with `streamrec topics rewind` (deploy/RUNBOOK.md, WorkerRestarts)"
    )


async def rewind(settings: Settings, name: Topic, to: Place) -> list[Rewound]:
    """Move the cursors that are beyond the end of this input; others stay. Owners at work are fenced."""
    found = [await _rewind(settings, name, number, to) for number in range(settings.partitions)]
    return [moved for moved in found if moved is not None]


async def _rewind(settings: Settings, name: Topic, number: int, to: Place) -> Rewound | None:
    kafka, topic, changelog = KafkaLog(settings), settings.topic(name), changelog_topic(settings)
    transactions = Transactions(f"{settings.group_id}-{number}", kafka)
    await transactions.start()
    try:
        logged = ChangelogContent(settings.partitions)
        through = await barrier(transactions, changelog, number)
        async with kafka.reader() as reader:
            async for records in reader.read(changelog, number, through=through):
                logged.take([(record.key or b"", record.value) for record in records])
            ends = await reader.ends([topic], number)
            there = ends if to == "end" else await reader.beginnings([topic], number)
        was = logged.meta.cursor.get(name, 0)
        if was <= ends[topic]:
            return None
        meta = logged.meta._replace(cursor=logged.meta.cursor | {name: there[topic]})
        async with transactions.begin() as writes:
            await writes.send(changelog, number, [Message(*meta.record())])
    finally:
        await transactions.stop()
    return Rewound(number, was, there[topic])
