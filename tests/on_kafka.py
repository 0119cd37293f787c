"""What tests on a real broker share: records to send, committed records to read, and the sequential oracle.

The oracle is the plain reading of the rules, fed with the records of the topics up to the cursor in the changelog. What
in a row follows from the events alone must be equal; what follows from pushes must agree with the push topic.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec
import numpy as np
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from streamrec.contracts.decode import Origin, Typed, decode_catalog, decode_events
from streamrec.contracts.partitioner import partition_of
from streamrec.contracts.push import Push
from streamrec.engine.profiles.layout import ROW
from streamrec.engine.profiles.zones import is_zone
from streamrec.kafka.clients import consumer, producer
from streamrec.kafka.log import KafkaLog
from streamrec.kafka.topics import changelog_topic
from streamrec.kafka.transactions import Transactions
from streamrec.partition.changelog_meta import Meta, rows_and_meta
from streamrec.settings import Settings
from streamrec.tools.chaos.articles_reading import Arrived
from streamrec.tools.chaos.reference_reading import Compared, PlainReading
from streamrec.tools.chaos.row_check import row_differences
from streamrec.tools.worker_process import WorkerProcess

DECIDED_S = 3.0  # what is open for longer stays open: its writer was killed, or a test holds it


class Sent(NamedTuple):
    """A record to send; `partition` None: by its key."""

    topic: str
    key: bytes | None
    value: bytes | None
    partition: int | None = None


def now_ms() -> int:
    """Wall clock."""
    return time.time_ns() // 1_000_000


def article(article_id: str, **more: Any) -> Sent:
    """An article published now, with words of its own."""
    raw = {
        "article_id": article_id,
        "title": f"{article_id}x {article_id}y {article_id}z",
        "category": "science",
        "published_at_ms": now_ms(),
    } | more
    return Sent("articles", article_id.encode(), json.dumps(raw).encode())


def event(user_id: str, article_id: str, action: str = "click", **more: Any) -> Sent:
    """An event that happens now."""
    raw = {"user_id": user_id, "article_id": article_id, "action": action, "at_ms": now_ms()} | more
    return Sent("events", user_id.encode(), json.dumps(raw).encode())


async def send(settings: Settings, records: Iterable[Sent], pause_s: float = 0.0) -> int:
    """Send in order, after every 100 records a pause; answers with how many."""
    count = 0
    async with producer(settings, max_request_size=1_048_576) as sending:
        for count, (topic, key, value, partition) in enumerate(records, 1):
            await sending.send(settings.topic(topic), key=key, value=value, partition=partition)
            if pause_s and count % 100 == 0:
                await asyncio.sleep(pause_s)
        await sending.flush()
    return count


async def read(settings: Settings, topic: str, partitions: int | None = None) -> list[Any]:
    """All committed records of a topic, by its full name; partitions None: as many as the settings say.

    A commit is answered before all readers see what it wrote: what is there by now is waited for, for a moment.
    """
    tps = [TopicPartition(topic, number) for number in range(partitions or settings.partitions)]
    there, deadline = await _ends(settings, tps, "read_uncommitted"), time.monotonic() + DECIDED_S
    async with consumer(settings, isolation_level="read_committed") as reading:
        reading.assign(tps)
        await reading.seek_to_beginning(*tps)
        ends = await reading.end_offsets(tps)
        while any(ends[tp] < there[tp] for tp in tps) and time.monotonic() < deadline:
            await asyncio.sleep(0.05)
            ends = await reading.end_offsets(tps)
        records: list[Any] = []
        while any([await reading.position(tp) < ends[tp] for tp in tps]):
            for fetched in (await reading.getmany(timeout_ms=200)).values():
                records += fetched
        return records


async def _ends(settings: Settings, tps: list[TopicPartition], isolation: str) -> dict[TopicPartition, int]:
    async with consumer(settings, isolation_level=isolation) as reading:
        return dict(await reading.end_offsets(tps))


async def undecided(settings: Settings, topic: str, partitions: int | None = None) -> bool:
    """Whether a transaction is open in this topic, by its full name: what is committed ends before what is there."""
    tps = [TopicPartition(topic, number) for number in range(partitions or settings.partitions)]
    return await _ends(settings, tps, "read_committed") != await _ends(settings, tps, "read_uncommitted")


async def until(condition: Callable[[], Awaitable[bool] | bool], wait_s: float = 90) -> None:
    """Wait for something that must happen."""
    deadline = time.monotonic() + wait_s
    while True:
        answer = condition()
        if answer if isinstance(answer, bool) else await answer:
            return
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.1)


async def settled(settings: Settings, *topics: str) -> None:
    """Until no transaction is open in these, full names: a commit is answered before all readers see what it wrote."""

    async def decided(topic: str) -> bool:
        return not await undecided(settings, topic, 1 if topic.startswith(settings.topic("articles")) else None)

    for topic in topics:
        await until(partial(decided, topic))


async def logged(settings: Settings) -> list[tuple[dict[bytes, bytes], Meta]]:
    """Rows and cursor of each partition, from the changelog alone."""
    records = await read(settings, changelog_topic(settings))
    return [
        rows_and_meta([(r.key, r.value) for r in records if r.partition == number], settings.partitions)
        for number in range(settings.partitions)
    ]


async def events_applied(settings: Settings) -> int:
    """Events whose effects are committed, by the cursors in the changelog."""
    return sum(meta.cursor.get("events", 0) for _, meta in await logged(settings))


async def all_events_applied(settings: Settings) -> bool:
    """Every event in the topic lies before a cursor."""
    return await events_applied(settings) == len(await read(settings, settings.topic("events")))


async def all_articles_applied(settings: Settings) -> bool:
    """Every record of `catalog` lies before a cursor."""
    return await all_applied(settings, "catalog")


async def all_applied(settings: Settings, name: str) -> bool:
    """Every record of an input that is still there lies before a cursor."""
    ends = {record.partition: record.offset + 1 for record in await read(settings, settings.topic(name))}
    cursors = [meta.cursor.get(name, 0) for _, meta in await logged(settings)]
    return all(cursors[number] >= end for number, end in ends.items())


async def rows_by_user(settings: Settings) -> dict[str, Any]:
    """Every user's row (numpy record), from the changelog alone."""
    rows: dict[str, Any] = {}
    for logged_rows, _ in await logged(settings):
        rows |= {key.decode(): np.frombuffer(value, ROW)[0] for key, value in logged_rows.items()}
    return rows


async def reads_by_user(settings: Settings) -> dict[str, int]:
    """n_reads of every user, from the changelog alone; each user's row lies in the user's own partition."""
    found: dict[str, int] = {}
    for number, (rows, _) in enumerate(await logged(settings)):
        for key, value in rows.items():
            assert partition_of(key.decode(), settings.partitions) == number
            found[key.decode()] = int(np.frombuffer(value, ROW)[0]["n_reads"])
    return found


async def check_against_oracle(settings: Settings, in_full: float = 1.0) -> int:
    """Compare the changelog with the oracle; answers with the number of users. Articles must come before events.

    Of these at least `in_full` must be compared to the last bit: a row remembers all they dealt with.
    """
    catalog = await read(settings, settings.topic("catalog"))
    events = await read(settings, settings.topic("events"))
    logs = await logged(settings)
    pushed = [
        msgspec.json.decode(r.value, type=Push) for r in await read(settings, settings.topic("push"))
    ]  # after logs
    compared = Compared(0, 0)
    for number, (rows, meta) in enumerate(logs):
        state, done = PlainReading(settings), meta.cursor.get("events", 0)
        for article in decode_catalog([r for r in catalog if r.partition == number], Origin("catalog", number)):
            if isinstance(article, Typed):
                state.take(Arrived(article.value, article.value.known_at_ms))
        mine = [r for r in events if r.partition == number and r.offset < done]
        for event in decode_events(mine, Origin("events", number), is_zone):
            if isinstance(event, Typed) and partition_of(event.value.user_id, settings.partitions) == number:
                state.take(event)
        for push in pushed:
            if push.user_id in state.readers:
                state.push(push.user_id, push.article_id)
        assert row_differences(rows, state) == []
        compared = Compared(*map(sum, zip(compared, state.compared(), strict=True)))
    assert not compared.falls_short_of(in_full), compared
    return compared.readers


async def members(settings: Settings) -> int:
    """Of the consumer group."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.brokers)
    await admin.start()
    try:
        (answer,) = await admin.describe_consumer_groups([settings.group_id])
        return len(answer.groups[0][5])
    finally:
        await admin.close()


def share_all(workers: Sequence[WorkerProcess], partitions: int) -> bool:
    """Each has some, and together all: while one is letting go, both may name the same."""
    shares = [owned(worker) for worker in workers]
    return all(shares) and sorted(number for share in shares for number in share) == list(range(partitions))


def owned(worker: WorkerProcess) -> list[int]:
    """Partitions of a worker, as it says."""
    _, body = worker.get("/ready")
    found: list[int] = json.loads(body)["partitions"] if body else []
    return found


async def taken_over(settings: Settings, partition: int, worker: WorkerProcess) -> None:
    """Somebody else takes over the transactions of this partition, by which its owner fails; until it has ended."""
    usurper = Transactions(f"{settings.group_id}-{partition}", KafkaLog(settings))
    await usurper.start()
    try:
        user = next(f"u{n}" for n in range(1000) if partition_of(f"u{n}", settings.partitions) == partition)
        await send(settings, [event(user, "a1")])  # an owner with nothing to write is told of nothing
        await until(lambda: worker.exit_code() is not None)
    finally:
        await usurper.stop()
