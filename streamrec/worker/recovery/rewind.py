"""A cursor beyond the end of its log: the topic was made anew, its log was cut short, or it was copied elsewhere.

Nobody would read what is written up to the cursor, and nothing would show it. So workers refuse such a cursor, and a
person says where reading goes on: only a person knows what became of the log.

    made anew    --to beginning   what it holds was never read
    cut short    --to end         what it still holds was read; what was written again since, with old offsets, is not
    a copy       --to TIME        offsets of another cluster mean nothing, in its log or beyond: all cursors are moved
"""

from typing import Literal, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import CommitFailedError

from ...contracts.records import Topic
from ...errors import KafkaError, StateError
from ...kafka.clients import AIOKafkaConsumer, consumer
from ...kafka.log import KafkaLog
from ...kafka.topics import changelog_topic
from ...kafka.transactions import Message, Transactions
from ...partition.changelog_meta import ChangelogContent
from ...settings import Settings
from ..commit.partition_commit import barrier

Place = Literal["beginning", "end"]
Input = Topic | Literal["articles"]


class Rewound(NamedTuple):
    """A cursor that was moved to another offset, of one partition of an input topic."""

    partition: int
    was: int
    now: int


def beyond_the_end(topic: str, partition: int, position: int, end: int) -> StateError:
    """The error a worker ends with whose cursor lies beyond the end of its log: the offsets and the cures."""
    return StateError(
        f"{topic}-{partition}: reading goes on at offset {position}, and the log ends at {end}: the topic was made anew"
        " or its log cut short, or this is a copy of another cluster, and records up to that offset would be passed"
        " over; bring the log back, or move the cursor with `streamrec topics rewind` (deploy/RUNBOOK.md,"
        " WorkerRestarts; of a copy: deploy/FAILOVER.md)"
    )


async def rewind(settings: Settings, name: Input, to: Place | int) -> list[Rewound]:
    """Move the cursors of this input that are beyond its end, or all of them to a time (ms). Owners are fenced.

    `articles` is read by the group's offset. KafkaError where the group is at work.
    """
    if name == "articles":
        found = [await _rewind_group(settings, to)]
    else:
        found = [await _rewind(settings, name, number, to) for number in range(settings.partitions)]
    return [moved for moved in found if moved is not None]


async def _rewind(settings: Settings, name: Topic, number: int, to: Place | int) -> Rewound | None:
    kafka, changelog = KafkaLog(settings), changelog_topic(settings)
    transactions = Transactions(f"{settings.group_id}-{number}", kafka)
    await transactions.start()
    try:
        logged = ChangelogContent(settings.partitions)
        through = await barrier(transactions, changelog, number)
        async with kafka.reader() as reader:
            async for records in reader.read(changelog, number, through=through):
                logged.take([(record.key or b"", record.value) for record in records])
        async with consumer(settings) as asking:
            moved = await _moved(asking, TopicPartition(settings.topic(name), number), logged.meta.cursor.get(name), to)
        if moved is not None:
            meta = logged.meta._replace(cursor=logged.meta.cursor | {name: moved.now})
            if name == "catalog":
                meta = meta._replace(met=moved.now)  # an offset as well
            async with transactions.begin() as writes:
                await writes.send(changelog, number, [Message(*meta.record())])
    finally:
        await transactions.stop()
    return moved


async def _rewind_group(settings: Settings, to: Place | int) -> Rewound | None:
    tp = TopicPartition(settings.topic("articles"), 0)
    async with consumer(settings, group_id=settings.group_id, enable_auto_commit=False) as group:
        group.assign([tp])
        was = await group.committed(tp)
        moved = await _moved(group, tp, (was or 0) if isinstance(to, int) else was, to)
        if moved is not None:
            try:
                await group.commit({tp: moved.now})
            except CommitFailedError as error:
                raise KafkaError(f"group {settings.group_id} is at work; stop the workers first") from error
    return moved


async def _moved(asking: AIOKafkaConsumer, tp: TopicPartition, was: int | None, to: Place | int) -> Rewound | None:
    """Where a cursor moves from and to; None where it stays, or there is none: then reading begins at the beginning."""
    end = (await asking.end_offsets([tp]))[tp]
    if isinstance(to, int):
        found = (await asking.offsets_for_times({tp: to}))[tp]
        there = end if found is None else found.offset
        return None if was in (None, there) else Rewound(tp.partition, was, there)
    if was is None or was <= end:
        return None
    return Rewound(tp.partition, was, end if to == "end" else (await asking.beginning_offsets([tp]))[tp])
