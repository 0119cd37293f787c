"""The table of topics: what is made is what is checked, and drift names its cure."""

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from hypothesis import given
from hypothesis import strategies as st

from streamrec.errors import KafkaError
from streamrec.kafka.topics import changelog_topic, check, create, list_topics, reachable, require, specs
from streamrec.settings import Settings, load
from streamrec.tools.local_kafka.local_kafka import local_kafka


async def make(settings: Settings, name: str, partitions: int, config: dict[str, str]) -> None:
    """A topic as somebody else would make it."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.brokers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, partitions, 1, topic_configs=config)])
        while name not in await admin.list_topics():  # noqa: ASYNC110 - the broker has no event to wait for
            await asyncio.sleep(0.02)
    finally:
        await admin.close()


@pytest.mark.kafka
async def test_create_is_idempotent_and_leaves_no_drift(settings_for_test: Settings) -> None:
    """A second create makes nothing, and check finds everything as the table says."""
    assert len(await check(settings_for_test)) == len(specs(settings_for_test))
    assert await create(settings_for_test) == [spec.name for spec in specs(settings_for_test)]
    assert await create(settings_for_test) == []
    assert await check(settings_for_test) == []
    assert all(spec.partitions == got for spec, got in await list_topics(settings_for_test))


@pytest.mark.kafka
@pytest.mark.usefixtures("kafka")  # Java and Kafka can be had
async def test_a_new_cluster_has_its_coordinators_when_create_returns() -> None:
    """It makes them when somebody first asks, and the first worker's log is to begin without an error."""
    with local_kafka() as broker:
        settings = load({}, brokers=broker.bootstrap, partitions=1)
        await create(settings)
        admin = AIOKafkaAdminClient(bootstrap_servers=broker.bootstrap)
        await admin.start()
        try:
            for kind in (0, 1):
                assert await admin.find_coordinator("any", kind) == 1
        finally:
            await admin.close()


@pytest.mark.kafka
async def test_another_partition_count_names_the_setting(settings_for_test: Settings) -> None:
    """P is fixed at birth: the cure is the setting, not more partitions."""
    await create(settings_for_test)
    for others in (3, 5):
        drift = await check(settings_for_test.changed(partitions=others))
        assert {(d.what, d.expected, d.got) for d in drift} == {("partitions", str(others), "4")}
        assert "set STREAMREC_PARTITIONS to" in str(drift[0])


@pytest.mark.kafka
async def test_fewer_replicas_than_asked_for_are_found(settings_for_test: Settings) -> None:
    """One broker has one copy of each; who set three relies on the other two."""
    await create(settings_for_test)
    drift = await check(settings_for_test.changed(replication=3))
    found = {(d.what, d.expected, d.got) for d in drift}
    assert found == {("replicas", "at least 3", "1"), ("min.insync.replicas", "at least 2", "1")}
    assert len([d for d in drift if d.what == "replicas"]) == len(specs(settings_for_test))
    assert "STREAMREC_REPLICATION" in next(d.cure for d in drift if d.what == "replicas")


@pytest.mark.kafka
async def test_more_in_sync_replicas_than_there_are_is_found(settings_for_test: Settings) -> None:
    """Such a topic passes every other check, and then takes no write."""
    push = settings_for_test.topic("push")
    config = next(spec.config for spec in specs(settings_for_test) if spec.name == push)
    await make(settings_for_test, push, 4, config | {"min.insync.replicas": "2"})
    await create(settings_for_test)
    (drift,) = await check(settings_for_test)
    assert (drift.topic, drift.what, drift.got) == (push, "min.insync.replicas", "2")
    assert "kafka-reassign-partitions" in drift.cure


@pytest.mark.kafka
async def test_a_setting_somebody_changed_is_found(settings_for_test: Settings) -> None:
    """A changelog that is not compacted would grow for ever: check says so."""
    name = changelog_topic(settings_for_test)
    await make(settings_for_test, name, 4, {"cleanup.policy": "delete"})
    await create(settings_for_test)
    drift = {d.what: d for d in await check(settings_for_test)}
    assert (drift["cleanup.policy"].topic, drift["cleanup.policy"].got) == (name, "delete")


@pytest.mark.kafka
@pytest.mark.parametrize(("retention_ms", "drifts"), [(604_799_999, 1), (604_800_001, 0), (-1, 0)])
async def test_a_longer_retention_is_no_drift(settings_for_test: Settings, retention_ms: int, drifts: int) -> None:
    """To raise it is what helps where workers are behind, and they must be able to start then."""
    events = settings_for_test.topic("events")
    config = next(spec.config for spec in specs(settings_for_test) if spec.name == events)
    await make(settings_for_test, events, 4, config | {"retention.ms": str(retention_ms)})
    await create(settings_for_test)
    found = [(d.topic, d.what, d.expected, d.got) for d in await check(settings_for_test)]
    assert found == [(events, "retention.ms", "at least 604800000", str(retention_ms))] * drifts


@pytest.mark.kafka
async def test_a_missing_topic_is_an_error_at_once(settings_for_test: Settings) -> None:
    """Clients would wait for a topic that nobody makes; `require` names the cure instead."""
    with pytest.raises(KafkaError, match=r"no topic .*push.*topics create"):
        await require(settings_for_test, "push")
    await create(settings_for_test)
    await require(settings_for_test, "push")


async def test_an_unreachable_broker_is_named_with_the_cure(caplog: pytest.LogCaptureFixture) -> None:
    """The address that does not answer and what to do, without a log line for each attempt."""
    with pytest.raises(KafkaError, match=r"127\.0\.0\.1:9 .*STREAMREC_BROKERS"):
        await reachable(load({}, brokers="127.0.0.1:9", broker_wait_s=0.6))
    assert caplog.records == []


@given(prefix=st.from_regex(r"[a-z.]{0,8}", fullmatch=True), app=st.from_regex(r"[a-z]{1,8}", fullmatch=True))
def test_names_carry_the_prefix_once(prefix: str, app: str) -> None:
    """Every topic is the prefix and a name of its own, the changelog's after the application."""
    settings = load({}, topic_prefix=prefix, app_id=app, partitions=3)
    names = [spec.name for spec in specs(settings)]
    assert len(set(names)) == len(names)
    assert all(name.startswith(prefix) for name in names)
    assert changelog_topic(settings) == f"{prefix}{app}-profiles-changelog"
    assert changelog_topic(settings) in names
    assert {spec.partitions for spec in specs(settings)} == {1, 3}


@given(replicas=st.integers(1, 7))
def test_what_is_acknowledged_survives_a_broker_where_three_hold_it(replicas: int) -> None:
    """Kafka's default acknowledges what the leader alone holds. Of two replicas both would be needed: not asked for."""
    configs = [spec.config for spec in specs(load({}, replication=replicas))]
    assert all(config.get("min.insync.replicas") == ("2" if replicas >= 3 else None) for config in configs)


def test_strays_outlive_the_longest_wait_for_them() -> None:
    """They keep the time of their first append: one from a backlog's end is nearly as old as `events` keeps any."""
    kept_ms = {spec.name: int(spec.config.get("retention.ms", 0)) for spec in specs(load({}))}
    assert kept_ms["rerouted"] >= 2 * kept_ms["events"]
