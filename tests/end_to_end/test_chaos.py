"""Real workers on a real broker under faults, judged as `streamrec chaos --runs` judges them."""

import asyncio
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer
from on_kafka import until

from streamrec.kafka.topics import delete
from streamrec.settings import Settings
from streamrec.tools.chaos import cluster_run
from streamrec.tools.chaos.cluster_requests import CLICKS_OF_ERASED
from streamrec.tools.chaos.faults import available
from streamrec.tools.chaos.verdict import Verdict
from streamrec.tools.local_kafka.local_kafka import local_cluster
from streamrec.tools.local_kafka.process import answers

pytestmark = pytest.mark.kafka


async def topics_of_run(settings: Settings, seed: int) -> set[str]:
    """Those of one run, whatever else there is."""
    async with AIOKafkaConsumer(bootstrap_servers=settings.brokers) as consumer:
        return {topic for topic in await consumer.topics() if topic.startswith(f"chaos-{seed}-")}


async def deleted(settings: Settings, seed: int) -> None:
    """Until the topics of this run are gone: a broker deletes after it has answered."""

    async def gone() -> bool:
        return not await topics_of_run(settings, seed)

    await until(gone)


@pytest.mark.parametrize("name", ["kill", "stand_still", "outage"])
def test_a_run_under_faults_keeps_every_promise(settings_for_test: Settings, name: str, tmp_path: Path) -> None:
    """Nothing lost, doubled, or pushed against the policy, whoever dies."""
    faults = list(available(None))
    seed = faults.index(name) + 10 * len(faults)
    outcome = asyncio.run(cluster_run.cluster_run(settings_for_test, None, seed, tmp_path, events=2500))
    assert outcome.fault == name
    assert outcome.verdict.found == []
    assert outcome.verdict.events == 2500 + CLICKS_OF_ERASED
    assert outcome.verdict.pushes > 100
    assert not outcome.kept
    asyncio.run(deleted(settings_for_test, seed))
    assert name != "kill" or sum(outcome.exits.values()) >= 1  # a zombie that wakes before it is fenced may go on


async def test_topics_of_a_run_that_failed_stay_on_a_cluster_of_others(
    settings_for_test: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are what happened, and their names are told; whatever ends all runs leaves nothing."""

    async def failing(settings: Settings, *_: object) -> cluster_run.Outcome:
        verdict = Verdict(runs=1)
        verdict.violate("a row differs")
        return cluster_run.Outcome("kill", verdict, {}, 1.0)

    async def ending(*_: object) -> cluster_run.Outcome:
        raise ZeroDivisionError

    monkeypatch.setattr(cluster_run, "_play", failing)
    outcome = await cluster_run.cluster_run(settings_for_test, None, 1, tmp_path, events=100)
    assert outcome.kept.startswith("chaos-1-")
    assert f"{outcome.kept}events" in await topics_of_run(settings_for_test, 1)
    monkeypatch.setattr(cluster_run, "_play", ending)
    with pytest.raises(ZeroDivisionError):
        await cluster_run.cluster_run(settings_for_test, None, 2, tmp_path, events=100)
    await deleted(settings_for_test, 2)
    await delete(settings_for_test.changed(topic_prefix=outcome.kept, app_id=outcome.kept.rstrip("."), partitions=8))
    await deleted(settings_for_test, 1)


async def test_a_run_begins_with_a_broker(settings_for_test: Settings) -> None:
    """The run before may have lost it: one finding, and not the end of all runs that follow."""
    with local_cluster(1, settings_for_test.kafka_cache) as cluster:
        (kafka,) = cluster.nodes
        await cluster_run.brokers_there(None)
        kafka.kill()
        await cluster_run.brokers_there(cluster)
        assert answers(kafka.port)
        process = kafka.pid
        await cluster_run.brokers_there(cluster)
        assert kafka.pid == process
