"""Faults on a real broker: after each one, state equals the sequential oracle to the bit and pushes agree with rows.

The oracle (on_kafka.py) depends on no timing: it is fed what the topics hold up to the cursor in the changelog.
"""

import asyncio
import itertools
import json
import os
import random
import signal
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
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
    undecided,
    until,
)

from streamrec.contracts.ids import key_of
from streamrec.contracts.push import Push
from streamrec.engine.profiles.layout import PUSHED, PUSHES, SEEN
from streamrec.kafka.topics import changelog_topic, create
from streamrec.settings import Settings
from streamrec.tools.worker_process import WorkerProcess, value, worker_process

pytestmark = pytest.mark.kafka

ARTICLES, USERS, CAP = 30, 200, 8
FEW = SEEN - CAP  # with the pushes of a day no more than a row remembers: every second reader is compared in full
ACTIONS = ["click", "click", "click", "share", "dislike", "impression", "unsubscribe", "subscribe"]
ZONES = ["", "", "Europe/Copenhagen", "Asia/Shanghai"]


@pytest.fixture
def settings(settings_for_test: Settings) -> Settings:
    """Everything is pushed; topics are there and the articles in them."""
    made = settings_for_test.changed(min_score=0.0, min_affinity=0.0, min_interval_s=0.0, daily_cap=CAP)
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


def stream_until(enough: asyncio.Event, seed: int, at_least: int = 3000) -> Iterator[Sent]:
    """Events for as long as something takes, on this machine."""
    events = enumerate(stream(seed, 10**9))
    return (sent for _, sent in itertools.takewhile(lambda one: one[0] < at_least or not enough.is_set(), events))


async def stop_with_work_in_hand(settings: Settings, worker: WorkerProcess) -> None:
    """SIGSTOP inside a transaction whose end is not on its way to the broker: it stays open."""
    while True:
        os.kill(worker.pid, signal.SIGSTOP)
        open_ = await undecided(settings, changelog_topic(settings))
        await asyncio.sleep(0.3)
        if open_ and await undecided(settings, changelog_topic(settings)):
            return
        os.kill(worker.pid, signal.SIGCONT)
        await asyncio.sleep(random.random() / 5)


def stream(seed: int, count: int) -> Iterator[Sent]:
    """Events of many kinds by many users."""
    choose = random.Random(seed)
    for _ in range(count):
        user = choose.randrange(USERS)
        read_one = f"a{choose.randrange(FEW if user % 2 else ARTICLES)}"
        yield event(f"u{user}", read_one, choose.choice(ACTIONS), tz=choose.choice(ZONES))


async def check(settings: Settings) -> None:
    """State as the oracle's; each push once, and in the row of the user it went to; nothing set aside."""
    assert await check_against_oracle(settings, in_full=0.4) > USERS // 2
    pushed = await pushes_by_user(settings)
    ids = [push.push_id for pushes in pushed.values() for push in pushes]
    assert len(ids) == len(set(ids)) > USERS // 4
    await until(lambda: rows_agree_with_pushes(settings))
    assert not await read(settings, settings.topic("events.dlq"), settings.partitions)


async def pushes_by_user(settings: Settings) -> dict[str, list[Push]]:
    """In the order of the topic."""
    pushed = defaultdict(list)
    for record in await read(settings, settings.topic("push"), settings.partitions):
        push = msgspec.json.decode(record.value, type=Push)
        pushed[push.user_id].append(push)
    return pushed


def pushed_keys(row: np.void) -> set[int]:
    """Articles the row remembers as pushed."""
    return set(row["seen"][(row["seen_acts"] & PUSHED) > 0].tolist())


async def rows_agree_with_pushes(settings: Settings) -> bool:
    """Two topics are not read in one moment: a worker may push between the two. What is lost or doubled stays so."""
    pushed, rows = await pushes_by_user(settings), await rows_by_user(settings)
    return pushed.keys() <= rows.keys() and all(
        row["n_pushes"] == len(pushed[user])
        and set(row["pushed_story"]) - {0} == {key_of(push.story_id) for push in pushed[user][-PUSHES:]}
        and (row["floor_s"] or pushed_keys(row) == {key_of(push.article_id) for push in pushed[user]})
        for user, row in rows.items()
    )


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
        ended = asyncio.Event()
        sending = asyncio.create_task(send(settings, stream_until(ended, 3), pause_s=0.1))
        await until(lambda: value(worker.series(), "streamrec_events_total") > 500)
        await stop_with_work_in_hand(settings, worker)
        with worker_process(settings, tmp_path / "second.log") as second:
            await asyncio.to_thread(second.wait_ready)
            assert json.loads(second.answer("/ready")[1])["partitions"] == [0, 1, 2, 3]
            os.kill(worker.pid, signal.SIGCONT)
            await until(lambda: worker.exit_code() is not None)
            ended.set()
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
        served = asyncio.Event()
        sending = asyncio.create_task(send(settings, stream_until(served, 4), pause_s=0.15))
        await until(lambda: value(worker.series(), "streamrec_events_total") > 300)
        with worker_process(settings, tmp_path / "second.log") as second:
            await asyncio.to_thread(second.wait_ready)
            await until(lambda: value(second.series(), "streamrec_events_total") > 100)
            served.set()
            assert await asyncio.to_thread(second.stop) == 0
        await sending
        await until(lambda: all_events_applied(settings))
        await check(settings)

    asyncio.run(scene())
    assert worker.exit_code() is None
    asyncio.run(until(lambda: json.loads(worker.answer("/ready")[1])["partitions"] == [0, 1, 2, 3]))
