"""A topic that somebody enlarges under a worker."""

import asyncio
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from on_kafka import until

from streamrec.kafka.topics import check, create
from streamrec.settings import Settings
from streamrec.tools.worker_process import WorkerProcess, value

pytestmark = pytest.mark.kafka


async def enlarge(settings: Settings, topic: str, partitions: int) -> None:
    """As kafka-topics.sh --alter does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.brokers)
    await admin.start()
    try:
        await admin.create_partitions({settings.topic(topic): NewPartitions(partitions)})
    finally:
        await admin.close()


def test_partitions_nobody_reads_are_counted_and_told(settings_for_test: Settings, tmp_path: Path) -> None:
    """Its worker goes on with the partitions there were; the check names what helps, and not a setting alone."""
    settings = settings_for_test
    asyncio.run(create(settings))
    worker = WorkerProcess(settings, tmp_path / "log", (str(Path(__file__).parent / "eager_worker.py"),))
    unread = 'streamrec_unread_partitions{topic="events"}'
    try:
        worker.ensure()
        worker.wait_ready()
        assert value(worker.series(), unread) == 0
        asyncio.run(enlarge(settings, "events", 6))
        asyncio.run(until(lambda: value(worker.series(), unread) == 2))
        asyncio.run(until(worker.is_ready))
        assert worker.exit_code() is None
    finally:
        worker.stop()
    assert worker.log_path.read_text().count("nobody reads the last 2 of 6 partitions") == 1
    (drift,) = asyncio.run(check(settings))
    assert (drift.topic, drift.expected, drift.got) == (settings.topic("events"), "4", "6")
    assert "Kafka takes no partitions back" in drift.cure
