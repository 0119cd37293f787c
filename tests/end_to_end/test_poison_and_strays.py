"""Records that reach a bug, and records in the wrong partition, on a real broker."""

import asyncio
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from on_kafka import Sent, article, event, logged, read, rows_by_user, send, until
from slow_log import recorder

from streamrec.contracts.partitioner import partition_of
from streamrec.engine.profiles.layout import SEEN
from streamrec.errors import StateError
from streamrec.kafka.log import KafkaLog
from streamrec.kafka.topics import changelog_topic, create
from streamrec.models.prior import Prior
from streamrec.partition.intake import Batch
from streamrec.partition.partition import PartitionContext
from streamrec.settings import Settings
from streamrec.tools.chaos.faulty_partition import FragilePartition
from streamrec.tools.worker_process import value, worker_process
from streamrec.worker.commit.partition_commit import Names
from streamrec.worker.writing.writer import PartitionWriter

pytestmark = pytest.mark.kafka


def writer(settings: Settings, errors: list[BaseException]) -> PartitionWriter:
    """Of partition 0, where every user lives, with a bug that users named poison reach."""
    names = Names(changelog_topic(settings), settings.topic("push"), settings.topic("rerouted"))
    context = PartitionContext.of(settings, 0, Prior())._replace(partitions=None)
    return PartitionWriter(
        FragilePartition(context), settings, KafkaLog(settings), names, recorder(settings), errors.append
    )


async def offered(settings: Settings, users: list[str]) -> list[BaseException]:
    """Give a writer one event of each user, in batches of 250; answers with what it would have ended of."""
    errors: list[BaseException] = []
    one = writer(settings, errors)
    await one.start()
    start = one.partition.cursor["events"]
    records = (await read(settings, settings.topic("events"), settings.partitions))[start:]
    assert [json.loads(record.value)["user_id"] for record in records] == users
    for at in range(0, len(records), 250):
        part = records[at : at + 250]
        await one.offer(Batch("events", part, part[-1].offset + 1), part[0].offset)
    await until(lambda: bool(errors) or one.committed.get("events") == start + len(users))
    if not errors:
        await one.stop()
    return errors


async def test_one_record_in_a_thousand_is_poison(settings_for_test: Settings) -> None:
    """It is set aside with its reason; the other 999 are applied, and nothing ends."""
    await create(settings_for_test)
    users = [f"u{n}" for n in range(1000)]
    users[617] = "poison"
    await send(settings_for_test, [event(user, "a1")._replace(partition=0) for user in users])
    assert await offered(settings_for_test, users) == []
    (letter,) = await read(settings_for_test, settings_for_test.topic("events.dlq"), settings_for_test.partitions)
    assert json.loads(letter.value)["user_id"] == "poison"
    assert dict(letter.headers)["streamrec-reason"] == b"processing_error"
    assert dict(letter.headers)["streamrec-offset"] == b"617"
    assert set(await rows_by_user(settings_for_test)) == set(users) - {"poison"}


async def test_a_bad_release_does_not_drain_the_topic(settings_for_test: Settings) -> None:
    """Above the limit the worker ends before anything more is set aside, and a restart does not begin to count anew."""
    settings = settings_for_test.changed(max_poison_per_hour=3)
    await create(settings)
    first = ["poison1", "u1", "poison2", "u2"]
    await send(settings, [event(user, "a1")._replace(partition=0) for user in first])
    assert await offered(settings, first) == []
    rest = ["poison3", "poison4", "u3"]
    await send(settings, [event(user, "a1")._replace(partition=0) for user in rest])
    for _ in range(2):
        (error,) = await offered(settings, rest)
        assert isinstance(error, StateError)
        assert "STREAMREC_MAX_POISON_PER_HOUR" in str(error)
    letters = await read(settings, settings.topic("events.dlq"), settings.partitions)
    assert [json.loads(letter.value)["user_id"] for letter in letters] == ["poison1", "poison2"]
    assert set(await rows_by_user(settings)) == {"u1", "u2"}


def by_crc32(settings: Settings, events: int) -> Iterator[Sent]:
    """As librdkafka places keys unless told otherwise; each user's clicks in the order of the articles."""
    for number in range(events):
        user = f"u{number % 500}"
        partition = zlib.crc32(user.encode()) % settings.partitions
        yield event(user, f"a{number // 500}")._replace(partition=partition)


def test_nine_thousand_events_placed_by_crc32(settings_for_test: Settings, tmp_path: Path) -> None:
    """Nobody lives in two partitions, strays are counted, and each user's events keep their order."""
    settings = settings_for_test
    asyncio.run(create(settings))
    with worker_process(settings, tmp_path / "worker.log") as worker:
        worker.wait_ready()
        asyncio.run(send(settings, [article(f"a{n}") for n in range(SEEN)]))
        asyncio.run(send(settings, by_crc32(settings, 500 * SEEN)))
        asyncio.run(until(lambda: value(worker.series(), 'streamrec_events_total{action="click"}') == 500 * SEEN))
        strays = value(worker.series(), "streamrec_rerouted_total")
        assert worker.restarts == 0
    astray = [
        n for n in range(500)
        if partition_of(f"u{n}", settings.partitions) != zlib.crc32(f"u{n}".encode()) % settings.partitions
    ]  # fmt: skip
    assert strays == SEEN * len(astray) > 0
    for number, (rows, _) in enumerate(asyncio.run(logged(settings))):
        assert {partition_of(key.decode(), settings.partitions) for key in rows} <= {number}
    by_user = asyncio.run(rows_by_user(settings))
    assert len(by_user) == 500
    articles = {zlib.crc32(f"a{n}".encode()) for n in range(SEEN)}
    for user, row in by_user.items():
        assert {int(key) for key in row["seen"]} - {0} == articles, user
    assert asyncio.run(read(settings, settings.topic("events.dlq"), settings.partitions)) == []
