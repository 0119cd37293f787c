"""The worker as a process on a real Kafka: what it commits, what it sets aside, and what a kill leaves behind."""

import asyncio
import itertools
import json
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from on_kafka import Sent, article, event, events_applied, read, reads_by_user, send, until
from prometheus_client import CONTENT_TYPE_LATEST

from streamrec.contracts.push import Push
from streamrec.kafka.topics import create
from streamrec.settings import Settings
from streamrec.tools.worker_process import WorkerProcess, value, worker_process

pytestmark = pytest.mark.kafka


@pytest.fixture
def running(settings_for_test: Settings, tmp_path: Path) -> Iterator[tuple[Settings, WorkerProcess]]:
    """A worker with its topics."""
    settings = settings_for_test.changed(min_score=0.0, min_affinity=0.0)
    asyncio.run(create(settings))
    with worker_process(settings, tmp_path / "worker.log") as worker:
        worker.wait_ready()
        yield settings, worker


def test_from_a_click_to_a_push(running: tuple[Settings, WorkerProcess]) -> None:
    """A click on one article leads to a push of another one, committed, with the reason; pages answer; SIGTERM is 0."""
    settings, worker = running

    async def scene() -> None:
        await send(settings, [article("a0"), article("a1")])
        await until(lambda: value(worker.series(), "streamrec_catalog_articles") >= 2)
        await send(settings, [event("ann", "a0"), Sent("events", b"x", b"garbage"), Sent("events", None, b"")])
        await until(lambda: value(worker.series(), "streamrec_pushes_total") >= 1)
        (record,) = await read(settings, settings.topic("push"))
        push = msgspec.json.decode(record.value, type=Push)
        assert (push.user_id, push.article_id) == ("ann", "a1")
        assert push.reason.code == "recent_reads"
        await until(lambda: value(worker.series(), "streamrec_dead_letters_total") >= 2)
        letters = await read(settings, settings.topic("events.dlq"))
        assert sorted(dict(r.headers)["streamrec-reason"] for r in letters) == [b"empty_value", b"undecodable"]

    asyncio.run(scene())
    assert worker.answer("/live")[0] == worker.answer("/ready")[0] == 200
    with urllib.request.urlopen(f"{worker.url}/metrics", timeout=60) as page:  # noqa: S310 - our own http address
        assert page.headers["Content-Type"] == CONTENT_TYPE_LATEST
    assert worker.answer("/table/")[0] == worker.answer("/router/")[0] == 404
    assert worker.stop() == 0


def test_kill_in_the_middle_loses_and_doubles_nothing(running: tuple[Settings, WorkerProcess]) -> None:
    """Killed twice with SIGKILL while events stream in: every read counted once, every push once, nothing set aside."""
    settings, worker = running
    users, per_user = 150, 12  # fewer reads than the ring holds, so n_reads is exact
    expected = {f"u{user}": per_user for user in range(users)}
    stream = [event(f"u{user}", f"a{number}") for number, user in itertools.product(range(per_user), range(users))]

    async def scene() -> None:
        await send(settings, [article(f"a{number}") for number in range(per_user + 3)])
        await until(lambda: value(worker.series(), "streamrec_catalog_articles") >= per_user + 3)
        sending = asyncio.create_task(send(settings, iter(stream), pause_s=0.25))
        for _ in range(2):
            await asyncio.sleep(1.2)
            assert worker.kill() == -9
            worker.ensure()
            await asyncio.to_thread(worker.wait_ready)
        assert await sending == len(stream)

        async def all_applied() -> bool:
            return await events_applied(settings) == len(stream)

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
    stream = [event(f"u{user}", f"a{number}") for number, user in itertools.product(range(per_user), range(users))]

    async def scene() -> None:
        await send(settings, [article(f"a{number}") for number in range(per_user)])
        sending = asyncio.create_task(send(settings, iter(stream), pause_s=1.5))
        with worker_process(settings, tmp_path / "second.log") as second:
            await asyncio.to_thread(second.wait_ready)
            both = [json.loads(one.answer("/ready")[1])["partitions"] for one in (worker, second)]
            assert await asyncio.to_thread(second.stop) == 0
        await sending

        async def all_applied() -> bool:
            return await events_applied(settings) == len(stream)

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
