"""What deploy/FAILOVER.md tells to do, done: on a copy of the cluster, and where the changelog is lost."""

import asyncio
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete
from on_kafka import (
    Sent,
    all_applied,
    article,
    event,
    now_ms,
    read,
    reads_by_user,
    rows_by_user,
    send,
    until,
)

from streamrec.contracts.push import Push
from streamrec.engine.profiles.layout import CONSENT_OUT
from streamrec.kafka.clients import admin, producer
from streamrec.kafka.topics import changelog_topic, create, specs
from streamrec.settings import Settings, load, to_environ
from streamrec.tools.local_kafka.local_kafka import local_kafka
from streamrec.tools.worker_process import WorkerProcess, worker_process

pytestmark = pytest.mark.kafka

ROOT = Path(__file__).parents[2]
READERS = [f"u{number}" for number in range(12)]
Done = dict[tuple[str, int], int]  # by topic and partition: the next offset to be copied


@pytest.fixture
def settings(settings_for_test: Settings) -> Settings:
    """Every reader gets every article, and nothing else: neither caps nor scores leave one out."""
    more = {"min_interval_s": 0.0, "daily_cap": 8, "min_score": 0.0, "min_affinity": 0.0, "partitions": 2}
    made = settings_for_test.changed(**more)
    asyncio.run(create(made))
    return made


@pytest.fixture
def spare(settings: Settings) -> Iterator[Settings]:
    """The same at another cluster, with topics and nothing in them."""
    with local_kafka(load().kafka_cache) as broker:
        made = settings.changed(brokers=broker.bootstrap)
        asyncio.run(create(made))
        yield made


async def copied(source: Settings, target: Settings, done: Done) -> None:
    """What is committed and not copied yet, as a mirror writes it: markers stay behind, and so do dead letters."""
    async with producer(target) as sending:
        for spec in specs(source):
            for record in [] if spec.name.endswith(".dlq") else await read(source, spec.name, spec.partitions):
                if record.offset >= done.get((spec.name, record.partition), 0):
                    done[spec.name, record.partition] = record.offset + 1
                    where = {"partition": record.partition, "timestamp_ms": record.timestamp}
                    headers = list(record.headers)
                    await sending.send(spec.name, key=record.key, value=record.value, headers=headers, **where)
        await sending.flush()


async def retention(settings: Settings) -> None:
    """All events that are there leave."""
    topic = settings.topic("events")
    ends = Counter[int]()
    for record in await read(settings, topic):
        ends[record.partition] = record.offset + 1
    async with admin(settings) as client:
        gone = {TopicPartition(topic, number): RecordsToDelete(before_offset=end) for number, end in ends.items()}
        await client.delete_records(gone)


def procedure(name: str) -> str:
    """The commands of the page under this mark."""
    page = (ROOT / "deploy" / "FAILOVER.md").read_text()
    found = re.search(rf"<!-- {name} -->\n```sh\n(.*?)```", page, re.DOTALL)
    assert found
    return found[1]


def typed(commands: str, settings: Settings, folder: Path, **environ: str) -> str:
    """What a shell prints that is told these."""
    program = folder / "streamrec"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m streamrec "$@"\n')
    program.chmod(0o755)
    path = {"PATH": f"{folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        ["bash", "-e", "-c", commands],
        env={**os.environ, **to_environ(settings), **path, **environ},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done
    return done.stdout


async def pushes(settings: Settings) -> list[Push]:
    """All that were committed."""
    return [msgspec.json.decode(record.value, type=Push) for record in await read(settings, settings.topic("push"))]


async def goes_to(settings: Settings, article_id: str, readers: set[str]) -> None:
    """Wait until these have got it."""

    async def is_pushed() -> bool:
        return {push.user_id for push in await pushes(settings) if push.article_id == article_id} == readers

    await until(is_pushed)


async def opted_out(settings: Settings) -> set[str]:
    """Whose row says so."""
    rows = await rows_by_user(settings)
    return {user for user, row in rows.items() if row["consent"] == CONSENT_OUT}


async def before_the_failure(settings: Settings) -> None:
    """Articles are known, everybody has clicked one, somebody has unsubscribed, and a first push went out."""
    await send(settings, [article("a1")])
    await until(lambda: all_applied(settings, "catalog"))
    await send(settings, [event(user, "a1") for user in READERS])
    await send(settings, [event("u3", "", "unsubscribe")])
    await until(lambda: all_applied(settings, "events"))


async def applied(settings: Settings, *events: Sent) -> None:
    """These events, by the worker at work."""
    await send(settings, events)
    await until(lambda: all_applied(settings, "events"))


def test_a_copy_goes_on(settings: Settings, spare: Settings, tmp_path: Path) -> None:
    """By the page: no reader who unsubscribed is pushed, nothing is pushed twice, and no copied event is lost."""
    done: Done = {}

    async def until_the_failure(worker: WorkerProcess) -> str:
        await before_the_failure(settings)
        await retention(settings)  # so offsets of the copy are others in `events`, too
        await copied(settings, spare, done)
        since_ms = now_ms()
        await asyncio.sleep(0.1)
        await send(settings, [article("a2")])
        await goes_to(settings, "a2", set(READERS) - {"u3"})
        await applied(settings, event("u4", "a2"), event("u5", "", "unsubscribe"))
        worker.kill()
        await send(settings, [event("u6", "", "unsubscribe"), event("u7", "a2"), article("a3")])
        await copied(settings, spare, done)
        return datetime.fromtimestamp(since_ms / 1000, UTC).isoformat()

    async def on_the_copy() -> None:
        out = {"u3", "u5", "u6"}
        await goes_to(spare, "a3", set(READERS) - out)
        await until(lambda: all_applied(spare, "catalog"))
        assert await opted_out(spare) == out
        assert await reads_by_user(spare) == {user: 1 + (user in ("u4", "u7")) for user in READERS}
        counts = Counter(push.push_id for push in await pushes(spare))
        assert set(counts.values()) == {1}
        assert len(counts) == 11 + 9

    with worker_process(settings, tmp_path / "main.log") as worker:
        worker.wait_ready()
        since = asyncio.run(until_the_failure(worker))
    with worker_process(spare, tmp_path / "spare.log") as worker:
        asyncio.run(until(lambda: worker.exit_code() is not None))
        assert "deploy/FAILOVER.md" in worker.last_line()
        moved = typed(procedure("failover"), spare, tmp_path, SINCE=since)
        assert {line.partition("-")[0] for line in moved.splitlines() if ": from " in line} >= {"catalog", "events"}
        worker.ensure()
        worker.wait_ready()
        asyncio.run(on_the_copy())


def test_without_a_changelog_what_is_in_the_events_comes_back(settings: Settings, tmp_path: Path) -> None:
    """An older unsubscribe has to be sent in again; pushes go out again, with the ids they had."""

    async def until_it_is_lost() -> None:
        await before_the_failure(settings)
        await retention(settings)
        await send(settings, [article("a2")])
        await goes_to(settings, "a2", set(READERS) - {"u3"})
        await applied(settings, *(event(user, "a1") for user in READERS[:6]), event("u5", "", "unsubscribe"))

    async def delete() -> None:
        async with admin(settings) as client:
            await client.delete_topics([changelog_topic(settings)])
            while changelog_topic(settings) in await client.list_topics():  # noqa: ASYNC110 - no event for it
                await asyncio.sleep(0.05)

    async def afterwards() -> None:
        await until(lambda: all_applied(settings, "events"))
        await until(lambda: all_applied(settings, "catalog"))
        assert await opted_out(settings) == {"u3", "u5"}
        assert set(await rows_by_user(settings)) == set(READERS[:6])
        await send(settings, [article("a3")])
        known = {"u0", "u1", "u2", "u4"}
        await goes_to(settings, "a3", known)
        again = Counter(push.push_id for push in await pushes(settings) if push.user_id in known)
        assert sorted(again.values()) == [1] * 4 + [2] * 4

    with worker_process(settings, tmp_path / "worker.log") as worker:
        worker.wait_ready()
        asyncio.run(until_it_is_lost())
        worker.stop()
        asyncio.run(delete())
        (tmp_path / "unsubscribed.jsonl").write_bytes(event("u3", "", "unsubscribe").value or b"")
        typed(procedure("no changelog"), settings, tmp_path)
        worker.ensure()
        worker.wait_ready()
        asyncio.run(afterwards())
