"""Limits, on a real broker: memory under back-pressure, and a transaction that stays open too long."""

import asyncio
from pathlib import Path

import pytest
from aiokafka.errors import KafkaError as ClientError
from on_kafka import event, read, send, settled, undecided, until

from streamrec.kafka.log import KafkaLog
from streamrec.kafka.topics import create
from streamrec.kafka.transactions import Message, Transactions
from streamrec.settings import Settings
from streamrec.tools.worker_process import WorkerProcess, value

pytestmark = pytest.mark.kafka

BACKLOG = 150_000
EARLY, LATE = 3000, 12_000  # events, between which memory must not grow


def resident_mb(pid: int) -> float:
    """Resident memory of a process."""
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * 4096 / 1e6


def test_memory_stays_flat_while_commits_are_slow(settings_for_test: Settings, tmp_path: Path) -> None:
    """What cannot be committed yet is not fetched: a backlog of any length fits into the same memory."""
    settings = settings_for_test.changed(commit_window_events=500, batch_events=500)
    asyncio.run(create(settings))
    asyncio.run(send(settings, (event(f"u{n % 1000}", "a1", tz="Europe/Copenhagen") for n in range(BACKLOG))))
    worker = WorkerProcess(settings, tmp_path / "log", (str(Path(__file__).parent / "slow_worker.py"),))
    try:
        worker.ensure()
        worker.wait_ready()
        asyncio.run(until(lambda: applied(worker) > EARLY))
        early_mb = resident_mb(worker.pid)
        asyncio.run(until(lambda: applied(worker) > LATE))
        late_mb = resident_mb(worker.pid)
        assert applied(worker) < BACKLOG  # there was more to take in at all times
    finally:
        worker.stop(60)
    assert late_mb - early_mb < 40  # the whole backlog as records would be 150 MB


def applied(worker: WorkerProcess) -> float:
    """Events it has committed."""
    return value(worker.series(), "streamrec_events_total")


async def test_a_transaction_open_for_too_long_is_void(settings_for_test: Settings) -> None:
    """The broker aborts it; its writer cannot commit any more, readers see nothing of it, and a new owner goes on."""
    settings = settings_for_test.changed(transaction_timeout_s=1.5)
    await create(settings)
    slow, topic = Transactions("slow-0", KafkaLog(settings)), settings.topic("push")
    await slow.start()
    with pytest.raises(ClientError):
        async with slow.begin() as writes:
            await writes.send(topic, 0, [Message(b"u1", b"late")])
            await writes.acknowledged()
            assert await undecided(settings, topic)
            await until(lambda: decided(settings, topic))  # the broker looks every ten seconds
    await slow.stop()
    successor = Transactions("slow-0", KafkaLog(settings))
    await successor.start()
    async with successor.begin() as writes:
        await writes.send(topic, 0, [Message(b"u1", b"in time")])
    await successor.stop()
    await settled(settings, topic)
    assert [record.value for record in await read(settings, topic)] == [b"in time"]


async def decided(settings: Settings, topic: str) -> bool:
    """No transaction is open there."""
    return not await undecided(settings, topic)
