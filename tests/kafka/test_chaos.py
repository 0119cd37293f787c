"""Real workers on a real broker under faults, judged as `streamrec chaos --runs` judges them."""

import asyncio
from pathlib import Path

import pytest

from streamrec.chaos.cluster_run import broker_there, cluster_run
from streamrec.chaos.faults import available
from streamrec.settings import Settings
from streamrec.simulation.kafka_process import answers
from streamrec.simulation.local_kafka import local_kafka

pytestmark = pytest.mark.kafka


@pytest.mark.parametrize("name", ["kill", "stand_still"])
def test_a_run_under_faults_keeps_every_promise(settings_for_test: Settings, name: str, tmp_path: Path) -> None:
    """Nothing lost, doubled, or pushed against the policy, whoever dies."""
    faults = list(available(own_broker=False))
    seed = faults.index(name) + 10 * len(faults)
    outcome = asyncio.run(cluster_run(settings_for_test, None, seed, tmp_path, events=2500))
    assert outcome.fault == name
    assert outcome.verdict.found == []
    assert outcome.verdict.events == 2500
    assert outcome.verdict.pushes > 100
    assert name != "kill" or sum(outcome.exits.values()) >= 1  # a zombie that wakes before it is fenced may go on


async def test_a_run_begins_with_a_broker(settings_for_test: Settings) -> None:
    """The run before may have lost it: one finding, and not the end of all runs that follow."""
    with local_kafka(settings_for_test.kafka_cache) as kafka:
        await broker_there(None)
        kafka.kill()
        await broker_there(kafka)
        assert answers(kafka.port)
        process = kafka.pid
        await broker_there(kafka)
        assert kafka.pid == process
