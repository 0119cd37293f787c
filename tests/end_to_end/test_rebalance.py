"""Rebalances: what SIGTERM leaves behind, and what static membership saves."""

import asyncio
import os
import signal
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from on_kafka import (
    all_events_applied,
    check_against_oracle,
    event,
    logged,
    members,
    owned,
    send,
    share_all,
    taken_over,
    until,
)

from streamrec.kafka.topics import create
from streamrec.settings import Settings, load
from streamrec.tools.local_kafka.local_kafka import local_kafka
from streamrec.tools.worker_process import WorkerProcess, value, worker_process

pytestmark = pytest.mark.kafka


async def group_offsets(settings: Settings) -> list[int]:
    """What the group has committed of `events`, by partition."""
    async with AIOKafkaConsumer(bootstrap_servers=settings.brokers, group_id=settings.group_id) as consumer:
        tps = [TopicPartition(settings.topic("events"), number) for number in range(settings.partitions)]
        return [await consumer.committed(tp) or 0 for tp in tps]


def test_sigterm_drains(settings_for_test: Settings, tmp_path: Path) -> None:
    """Exit 0; all that was applied is committed, the group's offsets follow the cursors, and the group is left."""
    settings = settings_for_test.changed(session_timeout_s=30.0)
    asyncio.run(create(settings))
    with worker_process(settings, tmp_path / "log") as worker:
        worker.wait_ready()
        asyncio.run(send(settings, (event(f"u{n % 500}", "a1") for n in range(20_000))))
        asyncio.run(until(lambda: value(worker.series(), "streamrec_events_total") > 0))
        assert worker.stop(60) == 0  # after 8 s it would end by itself, non-zero
    cursors = [meta.cursor.get("events", 0) for _, meta in asyncio.run(logged(settings))]
    assert sum(cursors) > 0
    assert asyncio.run(group_offsets(settings)) == cursors
    assert asyncio.run(members(settings)) == 0
    assert asyncio.run(check_against_oracle(settings)) > 0


def test_sigterm_without_a_broker_ends_all_the_same(tmp_path: Path) -> None:
    """Nobody answers any more, and work is in hand: the process says so, and ends non-zero by itself."""
    with local_kafka() as kafka:
        settings = load({}, brokers=kafka.bootstrap, partitions=4, session_timeout_s=2.0, web_port=0)
        asyncio.run(create(settings))
        with worker_process(settings, tmp_path / "log") as worker:
            worker.wait_ready()
            asyncio.run(send(settings, (event(f"u{n % 500}", "a1") for n in range(20_000))))
            asyncio.run(until(lambda: value(worker.series(), "streamrec_events_total") > 0))
            os.killpg(kafka.pid, signal.SIGSTOP)  # connections stay open: nothing refuses, nothing answers
            assert worker.stop(60) == 1
        kafka.kill()  # what sleeps does not hear SIGTERM
        assert "ending: told to stop" in (tmp_path / "log").read_text()


def test_a_spare_worker_is_ready_and_takes_over(settings_for_test: Settings, tmp_path: Path) -> None:
    """One more worker than partitions stalls no rollout; it has them as soon as their owner leaves."""
    settings = settings_for_test.changed(partitions=1)
    asyncio.run(create(settings))
    with worker_process(settings, tmp_path / "one.log") as one, worker_process(settings, tmp_path / "two.log") as two:
        asyncio.run(until(lambda: one.is_ready() and two.is_ready() and owned(one) + owned(two) == [0]))
        owner, spare = (one, two) if owned(one) else (two, one)
        assert value(spare.series(), "streamrec_ready") == 1
        owner.stop()
        asyncio.run(until(lambda: spare.is_ready() and owned(spare) == [0]))


def test_a_static_member_comes_back_to_its_partitions(settings_for_test: Settings, tmp_path: Path) -> None:
    """A restart within the session moves nothing, whatever ended the worker: the other one is not disturbed."""
    settings = settings_for_test.changed(session_timeout_s=60.0)
    asyncio.run(create(settings))
    workers = [
        WorkerProcess(settings.changed(instance_id=f"w{number}"), tmp_path / f"log-{number}") for number in range(2)
    ]
    try:
        for worker in workers:
            worker.ensure()
        asyncio.run(until(lambda: share_all(workers, settings.partitions)))
        before, rebalances = owned(workers[0]), value(workers[1].series(), "streamrec_rebalances_total")

        def fail() -> None:
            asyncio.run(taken_over(settings, before[0], workers[0]))

        for end in (workers[0].stop, workers[0].kill, fail):
            end()
            assert asyncio.run(members(settings)) == 2
            workers[0].ensure()
            asyncio.run(until(lambda: owned(workers[0]) == before))
        assert value(workers[1].series(), "streamrec_rebalances_total") == rebalances
        asyncio.run(send(settings, (event(f"u{n % 500}", "a1") for n in range(2000))))
        asyncio.run(until(lambda: all_events_applied(settings)))
        asyncio.run(check_against_oracle(settings))
    finally:
        for worker in workers:
            worker.stop()
