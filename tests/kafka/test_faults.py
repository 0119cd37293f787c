"""Faults on a real broker: after each one, state equals the sequential oracle to the bit and pushes agree with rows.

The oracle (on_kafka.py) depends on no timing: it is fed what the topics hold up to the cursor in the changelog.
"""

import asyncio
import json
import os
import random
import signal
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from on_kafka import (
    Sent,
    all_events_applied,
    article,
    check_against_oracle,
    event,
    logged,
    read,
    rows_by_user,
    send,
    until,
)

from streamrec.contracts.ids import key_of
from streamrec.contracts.push import Push
from streamrec.profiles.layout import PUSHES
from streamrec.settings import Settings
from streamrec.simulation.worker_process import WorkerProcess, value, worker_process
from streamrec.worker.topics import create

pytestmark = pytest.mark.kafka

ARTICLES, USERS = 30, 200
ACTIONS = ["click", "click", "click", "share", "dislike", "impression", "unsubscribe", "subscribe"]
ZONES = ["", "", "Europe/Copenhagen", "Asia/Shanghai"]


@pytest.fixture
def settings(settings_for_test: Settings) -> Settings:
    """Everything is pushed; topics are there and the articles in them."""
    made = settings_for_test.changed(min_score=0.0, min_affinity=0.0, min_interval_s=0.0, daily_cap=8, web_port=0)
    asyncio.run(create(made))
    return made


@pytest.fixture
def worker(settings: Settings, tmp_path: Path) -> Iterator[WorkerProcess]:
    """A worker that knows the articles: the oracle applies them before the events."""
    with worker_process(settings, tmp_path / "worker.log") as process:
        process.wait_ready()
        asyncio.run(send(settings, [article(f"a{n}") for n in range(ARTICLES)]))
        asyncio.run(until(lambda: all_articles_known(settings)))
        yield process


async def all_articles_known(settings: Settings) -> bool:
    """The catalog's cursor is behind all articles, in every partition."""
    catalog = await read(settings, settings.topic("catalog"), settings.partitions)
    last = {number: max((r.offset for r in catalog if r.partition == number), default=-1) for number in range(4)}
    cursors = [meta.cursor.get("catalog", 0) for _, meta in await logged(settings)]
    articles = [record for record in catalog if record.value]  # the agent's barrier is there, too
    return len(articles) == ARTICLES * settings.partitions and all(cursors[n] > last[n] for n in last)


def stream(seed: int, count: int) -> Iterator[Sent]:
    """Events of many kinds by many users."""
    choose = random.Random(seed)
    for _ in range(count):
        user, read_one = f"u{choose.randrange(USERS)}", f"a{choose.randrange(ARTICLES)}"
        yield event(user, read_one, choose.choice(ACTIONS), tz=choose.choice(ZONES))


async def check(settings: Settings) -> None:
    """State as the oracle's; each push once, and in the row of the user it went to; nothing set aside."""
    assert await check_against_oracle(settings) > USERS // 2
    pushed = defaultdict(list)
    for record in await read(settings, settings.topic("push"), settings.partitions):
        push = msgspec.json.decode(record.value, type=Push)
        pushed[push.user_id].append(push)
    ids = [push.push_id for pushes in pushed.values() for push in pushes]
    assert len(ids) == len(set(ids)) > USERS // 2
    for user, row in (await rows_by_user(settings)).items():
        assert row["n_pushes"] == len(pushed[user]), user
        latest = {key_of(push.article_id) for push in pushed[user][-PUSHES:]}
        assert set(row["pushed"]["article"]) - {0} == latest, user
    assert not await read(settings, settings.topic("events.dlq"), settings.partitions)


def test_kill_in_the_middle(settings: Settings, worker: WorkerProcess) -> None:
    """A kill -9 while events stream in and transactions are open: the successor's state is what one run would give."""

    async def scene() -> None:
        sending = asyncio.create_task(send(settings, stream(1, 4000), pause_s=0.05))
        await until(lambda: value(worker.series(), "streamrec_events_total") > 500)
        assert worker.kill() == -signal.SIGKILL
        worker.ensure()
        await asyncio.to_thread(worker.wait_ready)
        await sending
        await until(lambda: all_events_applied(settings))
        await check(settings)

    asyncio.run(scene())


def test_sigterm_in_the_middle(settings: Settings, worker: WorkerProcess) -> None:
    """SIGTERM under load exits 0 with state, cursor and pushes of one moment; the next worker does the rest."""

    async def scene() -> None:
        sending = asyncio.create_task(send(settings, stream(2, 3000), pause_s=0.05))
        await until(lambda: value(worker.series(), "streamrec_events_total") > 500)
        assert await asyncio.to_thread(worker.stop) == 0
        await sending
        await check(settings)
        worker.ensure()
        await asyncio.to_thread(worker.wait_ready)
        await until(lambda: all_events_applied(settings))
        await check(settings)

    asyncio.run(scene())


def test_a_zombie_is_fenced(settings: Settings, worker: WorkerProcess, tmp_path: Path) -> None:
    """A worker paused past its session wakes up with work in hand: it cannot commit it, and ends non-zero."""

    async def scene() -> None:
        sending = asyncio.create_task(send(settings, stream(3, 8000), pause_s=0.1))
        await until(lambda: value(worker.series(), "streamrec_events_total") > 500)
        os.kill(worker.pid, signal.SIGSTOP)
        with worker_process(settings, tmp_path / "second.log") as second:
            await asyncio.to_thread(second.wait_ready)
            assert json.loads(second.get("/ready")[1])["partitions"] == [0, 1, 2, 3]
            os.kill(worker.pid, signal.SIGCONT)
            await until(lambda: worker.exit_code() is not None)
            assert worker.exit_code() == 1
            await sending
            await until(lambda: all_events_applied(settings))
            await check(settings)
            assert second.exit_code() is None

    asyncio.run(scene())
    assert "fenced" in worker.log_path.read_text().lower()


def test_a_worker_joins_and_leaves(settings: Settings, worker: WorkerProcess, tmp_path: Path) -> None:
    """Under load partitions go to a second worker and come back; the first one goes on throughout."""

    async def scene() -> None:
        sending = asyncio.create_task(send(settings, stream(4, 6000), pause_s=0.15))
        await until(lambda: value(worker.series(), "streamrec_events_total") > 300)
        with worker_process(settings, tmp_path / "second.log") as second:
            await asyncio.to_thread(second.wait_ready)
            await until(lambda: value(second.series(), "streamrec_events_total") > 100)
            assert await asyncio.to_thread(second.stop) == 0
        await sending
        await until(lambda: all_events_applied(settings))
        await check(settings)

    asyncio.run(scene())
    assert worker.exit_code() is None
    assert json.loads(worker.get("/ready")[1])["partitions"] == [0, 1, 2, 3]
