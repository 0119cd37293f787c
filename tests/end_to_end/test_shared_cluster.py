"""Several deployments on one cluster."""

import asyncio
import json
from functools import partial
from pathlib import Path

import pytest
from on_kafka import event, events_applied, send, until

from streamrec.kafka.topics import create
from streamrec.settings import Settings
from streamrec.tools.worker_process import WorkerProcess, worker_process

pytestmark = pytest.mark.kafka

EVENTS = 40


def test_a_prefix_is_enough_to_share_a_cluster(settings_for_test: Settings, tmp_path: Path) -> None:
    """Two deployments that differ in nothing else: neither is in the other's group, nor fences its partitions."""
    one = settings_for_test
    two = one.changed(topic_prefix=f"other-{one.topic_prefix}")
    for settings in (one, two):
        asyncio.run(create(settings))
    with worker_process(one, tmp_path / "one.log") as first, worker_process(two, tmp_path / "two.log") as second:
        asyncio.run(until(lambda: owns_all(first, one) and owns_all(second, two)))
        for settings in (one, two):
            asyncio.run(send(settings, [event(f"u{number}", "a") for number in range(EVENTS)]))
        for settings in (one, two):
            asyncio.run(until(partial(applied, settings)))
        assert first.exit_code() is second.exit_code() is None
        assert owns_all(first, one)
        assert owns_all(second, two)


def owns_all(worker: WorkerProcess, settings: Settings) -> bool:
    """It has every partition of its own deployment; a worker that has ended fails the test."""
    assert worker.exit_code() is None, worker.last_line()
    status, body = worker.get("/ready")
    return status == 200 and json.loads(body)["partitions"] == [*range(settings.partitions)]


async def applied(settings: Settings) -> bool:
    """All that was sent is committed."""
    return await events_applied(settings) == EVENTS
