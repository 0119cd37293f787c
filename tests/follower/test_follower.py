"""A follower beside a real worker on a real broker: the same rows, the same pushes, and an honest age."""

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from on_kafka import article, event, logged, now_ms, read, send, until

from streamrec.__main__ import cli
from streamrec.contracts.control import Command
from streamrec.contracts.push import Push, push_id
from streamrec.follower.follower import Follower
from streamrec.follower.funnel import funnel
from streamrec.follower.preview import preview, recipients
from streamrec.follower.stepwise import Steps, stepwise
from streamrec.kafka.topics import create
from streamrec.operations.control import give
from streamrec.partition.partition import Partition
from streamrec.settings import Settings, to_environ
from streamrec.tools.worker_process import WorkerProcess

pytestmark = pytest.mark.kafka
DRAFT: dict[str, Any] = {"article_id": "news", "title": "Quantum chip breaks record", "category": "science"}


@stepwise
def applied_meanwhile(partitions: Sequence[Partition], user_id: str) -> Steps[bool]:
    """Whether a reader who is unknown at first becomes known while one asks; a step holds all partitions."""
    for _ in range(500):
        before = any(user_id in partition.profiles for partition in partitions)
        time.sleep(0.02)
        assert any(user_id in partition.profiles for partition in partitions) == before
        if before:
            return True
        yield
    return False


async def pushed(settings: Settings, article_id: str) -> set[str]:
    """Readers with a push of the article."""
    records = await read(settings, settings.topic("push"))
    found = [msgspec.json.decode(record.value, type=Push) for record in records]
    return {push.user_id for push in found if push.article_id == article_id}


async def same_rows(settings: Settings, follower: Follower) -> bool:
    """Whether the follower's rows are those of the changelog, to the byte, but for what is never logged."""
    found = {partition.context.number: partition.profiles.rows() for partition in follower.partitions}
    return found == {number: rows for number, (rows, _) in enumerate(await logged(settings))}


def test_a_preview_names_who_is_then_pushed_to(settings_for_test: Settings, tmp_path: Path) -> None:
    """And the follower has the worker's rows after load, after a kill -9, and when another has taken over."""
    settings = settings_for_test.changed(min_score=0.0, min_affinity=0.5, min_interval_s=0.0)
    workers = [WorkerProcess(settings, tmp_path / f"log{number}") for number in range(2)]
    readers = [f"u{number}" for number in range(80)]

    async def scene() -> None:
        await create(settings)
        follower = Follower(settings)
        await follower.start()
        try:
            workers[0].ensure()
            await asyncio.to_thread(workers[0].wait_ready)
            await send(settings, [article("old", title="Quantum chip sets record"), article("far", category="sport")])
            await until(lambda: _has_articles(follower, 2))
            await send(settings, [event(user, "old" if at % 2 else "far") for at, user in enumerate(readers)])
            await until(lambda: _has_readers(settings, follower, len(readers)))
            draft = await follower.draft(DRAFT)
            told, as_of_ms = await follower.ask(preview, draft, now_ms())
            assert now_ms() - 5_000 < as_of_ms <= now_ms()
            named = {each.user_id for each in (await follower.ask(recipients, draft, now_ms())).answer}
            await send(settings, [article(**DRAFT)])
            await until(lambda: _is_pushed(settings, named))
            assert 0 < told.pushes == len(named) < len(readers)
            await until(lambda: same_rows(settings, follower))
            await check_commands(settings, min(named))
            workers[0].kill()
            workers[1].ensure()
            await send(settings, [event(user, "news") for user in readers])
            await until(lambda: _has_reads(settings, follower, 2 * len(readers)))
            assert (await follower.ask(funnel, "news", now_ms())).answer.pushed == told.pushes
            asked = asyncio.create_task(follower.ask(applied_meanwhile, "late"))
            await send(settings, [event("late", "old")])
            assert (await asked).answer
            await check_hold_ends(settings, follower)
            assert all(lag.age_ms < 5_000 and lag.at_end and not lag.cut_off_since_ms for lag in follower.lag())
        finally:
            await follower.stop()

    try:
        asyncio.run(scene())
    finally:
        for each in workers:
            each.kill()


async def check_commands(settings: Settings, user_id: str) -> None:
    """What people type, of a push that was sent: exact, for nothing is compacted yet."""

    async def run(*words: str) -> dict[str, Any]:
        done = await asyncio.to_thread(CliRunner().invoke, cli, [*words, "--json"], env=to_environ(settings))
        assert done.exit_code == 0, (done.output, done.exception)
        found: dict[str, Any] = json.loads(done.output)
        return found

    told = await run("explain", "--push", push_id(user_id, "news", 0))
    assert (told["exact"], told["against"], told["pair"]["verdict"]) == ("bytes", [], "push")
    assert (await run("explain", user_id, "news"))["verdict"] == "already_pushed_article"
    assert (await run("explain", user_id))["profile"]["pushes"] == 1
    assert (await run("explain", "news"))["reasons"]["already_pushed_article"] > 0
    draft = ("--title", "Quantum chip surprises", "--category", "science")
    told = await run("preview", *draft, "--compare-min-score", "1")
    assert told["second"]["pushes"] == 0


async def check_hold_ends(settings: Settings, follower: Follower) -> None:
    """A hold that ends by itself ends in the copy, too: no owner logs that."""

    async def is_held(yes: bool) -> bool:
        catalogs = [partition.catalog for partition in follower.partitions]
        return all(bool(catalog["held"][catalog.slot("news")]) == yes for catalog in catalogs)

    await give(settings, [Command("hold", "ann", "a name", 0, article_id="news", until_ms=now_ms() + 3_000)])
    await until(lambda: is_held(True))
    await until(lambda: is_held(False))


async def _has_articles(follower: Follower, count: int) -> bool:
    return all(len(partition.catalog) == count for partition in follower.partitions)


async def _is_pushed(settings: Settings, named: set[str]) -> bool:
    found = await pushed(settings, "news")
    assert found <= named
    return found == named


async def _has_readers(settings: Settings, follower: Follower, count: int) -> bool:
    known = sum(partition.profiles.count() for partition in follower.partitions)
    return known == count and await same_rows(settings, follower)


async def _has_reads(settings: Settings, follower: Follower, count: int) -> bool:
    reads = sum(int(partition.profiles["n_reads"].sum()) for partition in follower.partitions)
    return reads == count and await same_rows(settings, follower)
