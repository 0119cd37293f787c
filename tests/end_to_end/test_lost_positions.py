"""Positions that are not in the log any more: what retention deleted is counted, and a shortened log is refused."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from on_kafka import Sent, article, event, events_applied, logged, now_ms, send, until

from streamrec.errors import KafkaError
from streamrec.kafka.clients import consumer
from streamrec.kafka.topics import create
from streamrec.settings import Settings
from streamrec.tools.worker_process import WorkerProcess, value, worker_process
from streamrec.worker.fetching.fetcher import FETCH_MAX_WAIT_MS
from streamrec.worker.recovery.rewind import rewind

pytestmark = pytest.mark.kafka

LOST = 'streamrec_lost_records_total{topic="events"}'


@asynccontextmanager
async def admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client that alters topics."""
    client = AIOKafkaAdminClient(bootstrap_servers=settings.brokers)
    await client.start()
    try:
        yield client
    finally:
        await client.close()


async def delete_before(settings: Settings, topic: str, offset: int) -> None:
    """As retention does, in partition 0."""
    async with admin(settings) as client:
        await client.delete_records({TopicPartition(settings.topic(topic), 0): RecordsToDelete(before_offset=offset)})


async def make_anew(settings: Settings, topic: str) -> None:
    """Delete a topic and create it."""
    async with admin(settings) as client:
        await client.delete_topics([settings.topic(topic)])
        while settings.topic(topic) in await client.list_topics():  # noqa: ASYNC110 - the broker has no event for it
            await asyncio.sleep(0.05)
    await create(settings)


def clicks(users: range) -> Iterator[Sent]:
    """One of each user, all in partition 0."""
    return (event(f"u{user}", "a1")._replace(partition=0) for user in users)


@pytest.fixture
def settings(settings_for_test: Settings) -> Settings:
    """One partition."""
    made = settings_for_test.changed(partitions=1)
    asyncio.run(create(made))
    return made


@pytest.fixture
def worker(settings: Settings, tmp_path: Path) -> Iterator[WorkerProcess]:
    """Has read fifty events."""
    with worker_process(settings, tmp_path / "worker.log") as process:
        process.wait_ready()
        asyncio.run(send(settings, clicks(range(50))))
        asyncio.run(until(lambda: applied(settings, 50)))
        yield process


async def applied(settings: Settings, offset: int) -> bool:
    """Everything before is in committed transactions."""
    return await events_applied(settings) >= offset


def test_retention_that_is_faster_than_a_running_worker_is_counted(settings: Settings, worker: WorkerProcess) -> None:
    """It goes on with what is left, and says how many records nobody read."""

    async def scene() -> None:
        os.kill(worker.pid, signal.SIGSTOP)
        await asyncio.sleep(10 * FETCH_MAX_WAIT_MS / 1e3)  # an open fetch would take records along
        await send(settings, clicks(range(50, 200)))
        await delete_before(settings, "events", 150)
        os.kill(worker.pid, signal.SIGCONT)
        await until(lambda: applied(settings, 200))
        await until(lambda: value(worker.series(), "streamrec_events_total") == 100)
        assert value(worker.series(), LOST) == 100

    asyncio.run(scene())
    assert "deleted by retention" in worker.log_path.read_text()


def test_retention_that_was_faster_than_a_restart_is_counted(settings: Settings, worker: WorkerProcess) -> None:
    """The new owner's cursor is behind the beginning: the same count, the same line."""
    worker.stop()
    asyncio.run(send(settings, clicks(range(50, 80))))
    asyncio.run(delete_before(settings, "events", 70))
    worker.ensure()
    worker.wait_ready()
    asyncio.run(until(lambda: applied(settings, 80)))
    asyncio.run(until(lambda: value(worker.series(), "streamrec_events_total") == 10))
    assert value(worker.series(), LOST) == 20


def test_a_topic_made_anew_under_a_worker_ends_it_until_somebody_decides(
    settings: Settings, worker: WorkerProcess
) -> None:
    """Reading on from offset 50 would pass the new records over; after `rewind` all of them are read."""
    os.kill(worker.pid, signal.SIGSTOP)  # or it hears that the topic is gone, and asks minutes later whether it is back
    asyncio.run(make_anew(settings, "events"))
    asyncio.run(send(settings, clicks(range(50, 60))))
    os.kill(worker.pid, signal.SIGCONT)
    asyncio.run(until(lambda: worker.exit_code() is not None))
    assert worker.exit_code() == 1
    says = f"{settings.topic('events')}-0: reading goes on at offset 50, and the log ends at "
    assert says in worker.log_path.read_text()
    worker.log_path.write_text("")
    worker.ensure()
    asyncio.run(until(lambda: worker.exit_code() is not None))
    assert f"{says}10" in worker.log_path.read_text()
    assert asyncio.run(rewind(settings, "events", "beginning")) == [(0, 50, 0)]
    worker.ensure()
    worker.wait_ready()
    asyncio.run(until(lambda: applied(settings, 10)))
    asyncio.run(until(lambda: value(worker.series(), "streamrec_events_total") == 10))
    rows, _ = asyncio.run(logged(settings))[0]
    assert len(rows) == 60


async def test_a_cursor_inside_the_log_is_not_moved(settings: Settings) -> None:
    """Rewinding is for logs that were cut, and reads nothing twice."""
    await send(settings, clicks(range(5)))
    assert await rewind(settings, "events", "beginning") == []


async def test_of_articles_the_offset_of_the_group_is_moved(settings: Settings) -> None:
    """The content agent keeps no cursor; to a time it moves wherever it stands, and there need be none before."""
    await send(settings, [article("a1")])
    await asyncio.sleep(0.1)
    since_ms = now_ms()
    await send(settings, [article("a2")])
    assert await rewind(settings, "articles", since_ms) == [(0, 0, 1)]
    assert await rewind(settings, "articles", "beginning") == []
    articles = TopicPartition(settings.topic("articles"), 0)
    async with consumer(settings, group_id=settings.group_id, enable_auto_commit=False) as group:
        group.assign([articles])
        await group.commit({articles: 9})
    assert await rewind(settings, "articles", "beginning") == [(0, 9, 0)]


async def test_a_group_at_work_is_not_moved(settings: Settings, worker: WorkerProcess) -> None:
    """Its offset would be written over by the next commit."""
    articles, before_ms = TopicPartition(settings.topic("articles"), 0), now_ms() - 1000
    await send(settings, [article("a1")])
    async with consumer(settings, group_id=settings.group_id, enable_auto_commit=False) as group:
        group.assign([articles])

        async def is_read() -> bool:
            return bool(await group.committed(articles) == 1)

        await until(is_read)
    with pytest.raises(KafkaError, match="is at work; stop the workers first"):
        await rewind(settings, "articles", before_ms)
