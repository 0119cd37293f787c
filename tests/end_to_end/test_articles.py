"""The content agent on a real broker: articles that reach a bug, and rebalances while it works."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from fragile_encoder import EARLY, LATE
from on_kafka import article, event, read, rows_by_user, send, until

from streamrec.kafka.topics import create
from streamrec.settings import Settings
from streamrec.tools.chaos.articles import article_differences
from streamrec.tools.worker_process import WorkerProcess, value

pytestmark = pytest.mark.kafka


def worker(settings: Settings, log_path: Path, script: str) -> WorkerProcess:
    """One of the workers beside this file."""
    return WorkerProcess(settings, log_path, [str(Path(__file__).with_name(f"{script}_worker.py"))])


async def send_with_header(settings: Settings, article_id: str, name: str, content: bytes | None) -> None:
    """An article as a client may send it that knows nothing of us."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers)
    await producer.start()
    sent = article(article_id)
    headers: list[Any] = [(name, content)]
    await producer.send_and_wait(settings.topic("articles"), key=sent.key, value=sent.value, headers=headers)
    await producer.stop()


async def differences(settings: Settings) -> list[str]:
    """Between `articles` and `catalog`."""
    articles = await read(settings, settings.topic("articles"), 1)
    catalog = await read(settings, settings.topic("catalog"))
    return [
        what
        for number in range(settings.partitions)
        for what in article_differences(articles, [record for record in catalog if record.partition == number])
    ]


def test_articles_that_reach_a_bug(settings_for_test: Settings, tmp_path: Path) -> None:
    """Whatever their headers, they are pushed; if analysis raises they are set aside; the worker goes on."""
    settings = settings_for_test.changed(min_score=0.0, min_affinity=0.0, min_interval_s=0.0, daily_cap=8)
    one = worker(settings, tmp_path / "log", "fragile")

    async def scene() -> None:
        await create(settings)
        one.ensure()
        await asyncio.to_thread(one.wait_ready)
        await send(settings, [article("known")])
        await until(lambda: value(one.series(), "streamrec_catalog_articles") == 1)
        await send(settings, [event("u", "known")])
        await until(lambda: _has_row(settings))
        await send_with_header(settings, "null", "streamrec-watermark", None)
        await send_with_header(settings, "digits", "streamrec-watermark", b"9" * 5_000)
        await send_with_header(settings, "time", "streamrec-watermark", b"1764072000000")
        bugs = [article("early", title=EARLY), article("late", title=LATE)]
        await send(settings, [article("before"), bugs[0], article("between"), bugs[1], article("after")])
        expected = {"null", "digits", "time", "before", "between", "after"}

        async def pushed() -> bool:
            pushes = await read(settings, settings.topic("push"))
            return {json.loads(push.value)["article_id"] for push in pushes} >= expected

        await until(pushed)
        letters = await read(settings, settings.topic("articles.dlq"), 1)
        assert [(letter.key, dict(letter.headers)["streamrec-reason"]) for letter in letters] == [
            (b"early", b"processing_error"),
            (b"late", b"processing_error"),
        ]
        assert [letter.value for letter in letters] == [bug.value for bug in bugs]

    try:
        asyncio.run(scene())
        assert value(one.series(), 'streamrec_dead_letters_total{reason="processing_error"') == 2
        assert one.exit_code() is None
        assert one.restarts == 0
    finally:
        one.stop()


async def _has_row(settings: Settings) -> bool:
    return "u" in await rows_by_user(settings)


def test_rebalances_while_articles_are_written(settings_for_test: Settings, tmp_path: Path) -> None:
    """Each finds the agent in a transaction, for commits take half a second: nobody ends, and no article is missing."""
    settings = settings_for_test
    first, second = (worker(settings, tmp_path / f"log-{number}", "slow") for number in range(2))

    async def scene() -> None:
        await create(settings)
        first.ensure()
        await asyncio.to_thread(first.wait_ready)
        sending = asyncio.create_task(send(settings, (article(f"a{n}") for n in range(3000)), pause_s=0.5))
        for _ in range(3):
            second.ensure()
            await asyncio.to_thread(second.wait_ready)
            assert await asyncio.to_thread(second.stop) == 0
        await sending

        async def all_written() -> bool:
            return not await differences(settings)

        await until(all_written)
        await until(lambda: value(first.series(), "streamrec_articles_lag_seconds") == 0)

    try:
        asyncio.run(scene())
        assert first.exit_code() is None
        assert first.restarts == 0
    finally:
        for one in (first, second):
            one.stop()
