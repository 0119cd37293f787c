"""Header names of any bytes, on a real broker: aiokafka itself raises on them."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer
from on_kafka import Sent, article, event, read, rows_by_user, until
from unnamed import PLACE, renamed

from streamrec.contracts.partitioner import partition_of
from streamrec.kafka.topics import create
from streamrec.settings import Settings
from streamrec.tools.worker_process import value, worker_process

pytestmark = pytest.mark.kafka

NAME = b"n\xff\xfen"
SENT = [
    article("a1"),
    event("good", "a1"),
    event("stray", "a1")._replace(partition=(partition_of("stray", 4) + 1) % 4),
    Sent("events", b"bad", b"{"),
]


async def send(settings: Settings) -> None:
    """Each with such a header, in a batch of its own."""
    async with AIOKafkaProducer(bootstrap_servers=settings.brokers) as producer:
        for topic, key, content, partition in SENT:
            batch: Any = producer.create_batch()
            batch.append(timestamp=None, key=key, value=content, headers=[(PLACE.decode(), b"1")])
            batch.close()
            batch._buffer = renamed(batch._build(), NAME)
            home = partition_of((key or b"").decode(), 4) if partition is None and topic == "events" else partition
            await (await producer.send_batch(batch, settings.topic(topic), partition=home or 0))


def test_they_are_read_passed_on_and_set_aside(settings_for_test: Settings, tmp_path: Path) -> None:
    """What is no UTF-8 in a name is written out; no worker ends."""
    settings = settings_for_test
    asyncio.run(create(settings))
    with worker_process(settings, tmp_path / "worker.log") as worker:
        worker.wait_ready()
        asyncio.run(send(settings))
        asyncio.run(until(lambda: value(worker.series(), "streamrec_dead_letters_total") == 1))
        asyncio.run(until(lambda: _both(settings)))
        asyncio.run(until(lambda: value(worker.series(), "streamrec_catalog_articles") == 1))
        assert (worker.exit_code(), worker.restarts) == (None, 0)
    (letter,) = asyncio.run(read(settings, settings.topic("events.dlq")))
    assert ("n\\xff\\xfen", b"1") in letter.headers
    (stray,) = asyncio.run(read(settings, settings.topic("rerouted")))
    assert ("n\\xff\\xfen", b"1") in stray.headers


async def _both(settings: Settings) -> bool:
    return {"good", "stray"} <= set(await rows_by_user(settings))
