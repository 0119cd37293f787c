"""Batches that no process can bear, in each topic that others may write to, on a real broker."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from bombs import batch_of
from on_kafka import article, event, now_ms, read, rows_by_user, send, until
from secured_commands import streamrec

from streamrec.contracts.partitioner import partition_of
from streamrec.kafka.decompression import MOST_BYTES
from streamrec.kafka.topics import create
from streamrec.settings import Settings
from streamrec.tools.worker_process import value, worker_process

pytestmark = pytest.mark.kafka

NUMBER = partition_of("u1", 4)
BOMBS = {"events": NUMBER, "rerouted": NUMBER, "articles": 0}


async def send_bomb(settings: Settings, topic: str, partition: int) -> None:
    """Three records, the last of which is larger than all that a batch may be."""
    values = [b"v", b"v", bytes(MOST_BYTES)]
    async with AIOKafkaProducer(bootstrap_servers=settings.brokers) as producer:
        batch: Any = producer.create_batch()
        batch.append(timestamp=None, key=b"k", value=b"v")
        batch.close()
        batch._buffer = batch_of(values, "zstd", now_ms())
        await (await producer.send_batch(batch, settings.topic(topic), partition=partition))


def test_they_are_set_aside_and_reading_goes_on(settings_for_test: Settings, tmp_path: Path) -> None:
    """By the worker, one dead letter a batch, and by whoever reads those; a new owner passes them as the first did."""
    settings = settings_for_test
    asyncio.run(create(settings))
    for topic, partition in BOMBS.items():
        asyncio.run(send_bomb(settings, topic, partition))
    asyncio.run(send(settings, [article("a1"), event("u1", "a1")]))
    for start in ("first", "second"):
        with worker_process(settings, tmp_path / f"{start}.log") as worker:
            worker.wait_ready()
            asyncio.run(until(lambda: value(worker.series(), "streamrec_catalog_articles") == 1))
            asyncio.run(until(lambda: _has_row(settings)))
            found = {name: n for name, n in worker.series().items() if "unreadable_batch" in name and n}
            assert (worker.exit_code(), worker.restarts) == (None, 0)
        if start == "first":
            assert sum(found.values()) == len(BOMBS)
    for topic, partition in BOMBS.items():
        (letter,) = asyncio.run(read(settings, settings.topic(f"{topic}.dlq"), 1 if topic == "articles" else None))
        said = {name.removeprefix("streamrec-"): text.decode() for name, text in letter.headers}
        assert said["reason"] == "unreadable_batch"
        assert (said["topic"], said["partition"], said["offset"]) == (settings.topic(topic), str(partition), "2")
        assert said["detail"].startswith("offsets 0 to 2 are one batch, whose ")
    asyncio.run(send_bomb(settings, "events.dlq", NUMBER))
    asyncio.run(send_bomb(settings, "push", NUMBER))
    listed = streamrec(settings, "dlq", "list")
    assert (listed.returncode, listed.stdout.count("unreadable_batch")) == (0, len(BOMBS))
    audited = streamrec(settings, "audit")
    assert "does not decode" in audited.stdout + audited.stderr
    assert "Traceback" not in audited.stderr


async def _has_row(settings: Settings) -> bool:
    return "u1" in await rows_by_user(settings)
