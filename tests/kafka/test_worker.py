"""The worker as a process on a real Kafka: what it commits, what it sets aside, and what a kill leaves behind."""

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from streamrec.contracts.push import Push
from streamrec.contracts.route import partition_of
from streamrec.meta import split
from streamrec.profiles.store import ProfileStore
from streamrec.settings import Settings
from streamrec.simulation.worker_process import WorkerProcess, value, worker_process
from streamrec.worker.topics import changelog_topic, create

pytestmark = pytest.mark.kafka

Record = tuple[str, bytes | None, bytes | None]  # topic, key, value


def now_ms() -> int:
    """Wall clock."""
    return time.time_ns() // 1_000_000


def article(number: int) -> Record:
    """An article with words of its own."""
    name = f"a{number}"
    raw = {
        "article_id": name,
        "title": f"w{number}a w{number}b w{number}c",
        "category": "science",
        "published_at_ms": now_ms(),
    }
    return "articles", name.encode(), json.dumps(raw).encode()


def click(user: str, number: int) -> Record:
    """A click."""
    raw = {"user_id": user, "article_id": f"a{number}", "action": "click", "at_ms": now_ms()}
    return "events", user.encode(), json.dumps(raw).encode()


async def send(settings: Settings, records: Iterator[Record] | list[Record], pause_s: float = 0.0) -> int:
    """Send records in order; answers with how many."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers, max_request_size=1_000_000)
    await producer.start()
    count = 0
    try:
        for topic, key, raw in records:
            await producer.send(settings.topic(topic), key=key, value=raw)
            count += 1
            if pause_s and count % 100 == 0:
                await asyncio.sleep(pause_s)
        await producer.flush()
    finally:
        await producer.stop()
    return count


async def read(settings: Settings, topic: str, partitions: int = 4) -> list[Any]:
    """All committed records of a topic by its full name."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.brokers, isolation_level="read_committed")
    await consumer.start()
    try:
        tps = [TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(tps)
        await consumer.seek_to_beginning(*tps)
        ends = await consumer.end_offsets(tps)
        records: list[Any] = []
        while any([await consumer.position(tp) < ends[tp] for tp in tps]):
            for fetched in (await consumer.getmany(timeout_ms=200)).values():
                records += fetched
        return records
    finally:
        await consumer.stop()


async def until(condition: Callable[[], Awaitable[bool]] | Callable[[], bool], wait_s: float = 40) -> None:
    """Wait for something that must happen."""
    deadline = time.monotonic() + wait_s
    while True:
        answer = condition()
        if answer if isinstance(answer, bool) else await answer:
            return
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.1)


async def applied(settings: Settings) -> int:
    """Events whose effects are committed, by the cursors in the changelog."""
    cursors: dict[int, int] = {}
    for record in await read(settings, changelog_topic(settings)):
        if record.key == b"\xffcursor":
            cursors[record.partition] = json.loads(record.value)["cursor"].get("events", 0)
    return sum(cursors.values())


async def reads_by_user(settings: Settings) -> Counter[str]:
    """n_reads of every user, from the changelog alone."""
    found: Counter[str] = Counter()
    for number in range(settings.partitions):
        records = [r for r in await read(settings, changelog_topic(settings)) if r.partition == number]
        rows, _ = split([(r.key, r.value) for r in records], settings.partitions)
        store = ProfileStore()
        store.restore(rows.items())
        for user, count in zip(store.users, store["n_reads"].tolist(), strict=True):
            assert partition_of(user, settings.partitions) == number
            found[user] += count
    return found


@pytest.fixture
def running(settings_for_test: Settings, tmp_path: Path) -> Iterator[tuple[Settings, WorkerProcess]]:
    """A worker with its topics."""
    settings = settings_for_test.changed(min_score=0.0, min_affinity=0.0, web_port=0)
    asyncio.run(create(settings))
    with worker_process(settings, tmp_path / "worker.log") as worker:
        worker.wait_ready()
        yield settings, worker


def test_from_a_click_to_a_push(running: tuple[Settings, WorkerProcess]) -> None:
    """A click on one article leads to a push of another one, committed, with the reason; pages answer; SIGTERM is 0."""
    settings, worker = running

    async def scene() -> None:
        await send(settings, [article(0), article(1)])
        await until(lambda: value(worker.series(), "streamrec_catalog_articles") >= 2)
        await send(settings, [click("ann", 0), ("events", b"x", b"garbage"), ("events", None, b"")])
        await until(lambda: value(worker.series(), "streamrec_pushes_total") >= 1)
        (record,) = await read(settings, settings.topic("push"))
        push = msgspec.json.decode(record.value, type=Push)
        assert (push.user_id, push.article_id) == ("ann", "a1")
        assert push.reason.code == "recent_reads"
        await until(lambda: value(worker.series(), "streamrec_dead_letters_total") >= 2)
        letters = await read(settings, settings.topic("events.dlq"))
        assert sorted(dict(r.headers)["streamrec-reason"] for r in letters) == [b"empty_value", b"undecodable"]

    asyncio.run(scene())
    assert worker.get("/live")[0] == worker.get("/ready")[0] == 200
    assert worker.get("/table/")[0] == worker.get("/router/")[0] == 404
    assert worker.stop() == 0


def test_kill_in_the_middle_loses_and_doubles_nothing(running: tuple[Settings, WorkerProcess]) -> None:
    """Killed twice with SIGKILL while events stream in: every read counted once, every push once, nothing set aside."""
    settings, worker = running
    users, per_user = 150, 12  # fewer reads than the ring holds, so n_reads is exact
    expected = {f"u{user}": per_user for user in range(users)}
    stream = [click(f"u{user}", number) for number, user in itertools.product(range(per_user), range(users))]

    async def scene() -> None:
        await send(settings, [article(number) for number in range(per_user + 3)])
        await until(lambda: value(worker.series(), "streamrec_catalog_articles") >= per_user + 3)
        sending = asyncio.create_task(send(settings, iter(stream), pause_s=0.25))
        for _ in range(2):
            await asyncio.sleep(1.2)
            assert worker.kill() == -9
            worker.ensure()
            await asyncio.to_thread(worker.wait_ready)
        assert await sending == len(stream)

        async def all_applied() -> bool:
            return await applied(settings) == len(stream)

        await until(all_applied)
        assert await reads_by_user(settings) == expected
        ids = [msgspec.json.decode(r.value, type=Push).push_id for r in await read(settings, settings.topic("push"))]
        assert len(ids) == len(set(ids)) >= users
        assert not await read(settings, settings.topic("events.dlq"))

    asyncio.run(scene())


def test_a_second_worker_takes_its_share(running: tuple[Settings, WorkerProcess], tmp_path: Path) -> None:
    """Partitions move to a worker that joins and back when it leaves; nothing is lost or doubled."""
    settings, worker = running
    users, per_user = 60, 10
    stream = [click(f"u{user}", number) for number, user in itertools.product(range(per_user), range(users))]

    async def scene() -> None:
        await send(settings, [article(number) for number in range(per_user)])
        sending = asyncio.create_task(send(settings, iter(stream), pause_s=1.5))
        with worker_process(settings, tmp_path / "second.log") as second:
            await asyncio.to_thread(second.wait_ready)
            both = [json.loads(one.get("/ready")[1])["partitions"] for one in (worker, second)]
            assert await asyncio.to_thread(second.stop) == 0
        await sending

        async def all_applied() -> bool:
            return await applied(settings) == len(stream)

        await until(all_applied)
        assert both[1]
        assert await reads_by_user(settings) == {f"u{user}": per_user for user in range(users)}

    asyncio.run(scene())
    assert worker.exit_code() is None


def test_no_broker_is_a_clear_end(tmp_path: Path) -> None:
    """A worker that finds no broker waits, says so, and ends with a non-zero code."""
    settings = Settings(brokers="127.0.0.1:1", broker_wait_s=0.5, web_port=0)
    worker = WorkerProcess(settings, tmp_path / "log")
    worker.ensure()
    deadline = time.monotonic() + 60
    while worker.exit_code() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert worker.exit_code() == 2
    assert "127.0.0.1:1" in worker.last_line()
    assert "STREAMREC_BROKERS" in worker.last_line()
