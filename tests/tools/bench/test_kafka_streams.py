"""Contestants that do it exactly once: they do all of their work, in transactions, or say why they take no part."""

import asyncio
import os
from pathlib import Path

import pytest
from aiokafka import TopicPartition
from on_kafka import read, settled

from streamrec.clock import monotonic_s
from streamrec.engine.profiles.layout import ROW
from streamrec.errors import KafkaError, StateError
from streamrec.kafka.clients import consumer
from streamrec.kafka.topics import create
from streamrec.settings import Settings, load
from streamrec.tools.bench import contestants
from streamrec.tools.bench.contestants import group_of, started
from streamrec.tools.bench.kafka_streams import left_out
from streamrec.tools.bench.load import CLICKS_PER_USER, send_backlog
from streamrec.tools.local_kafka.jars import resolve_jars

EVENTS = 4000
CHANGELOGS = {"kafka streams": "{0}streams-rows-changelog", "quix streams": "changelog__{0}quix--{0}events--default"}


async def work_off(name: str, settings: Settings) -> None:
    """Until the contestant has committed all events."""
    async with consumer(settings, group_id=group_of(name, settings), enable_auto_commit=False) as asking:
        with started(name, settings) as contestant:
            deadline = monotonic_s() + 120
            while await contestant.done(settings, asking) < EVENTS:
                assert monotonic_s() < deadline, "it did not get through in time"
                await asyncio.sleep(0.1)


@pytest.mark.kafka
@pytest.mark.parametrize("name", CHANGELOGS)
async def test_it_writes_every_row_and_pushes_each_user_once_in_transactions(
    settings_for_test: Settings, name: str
) -> None:
    """A row for each user in its changelog, a push for each user's first click, and a commit marker after them."""
    if reason := contestants.left_out(settings_for_test).get(name):
        pytest.skip(reason)
    await create(settings_for_test)
    await send_backlog(settings_for_test, EVENTS)

    await work_off(name, settings_for_test)

    push, changelog = settings_for_test.topic("push"), CHANGELOGS[name].format(settings_for_test.topic_prefix)
    await settled(settings_for_test, push)
    pushed = [record.key for record in await read(settings_for_test, push)]
    assert sorted(pushed) == sorted(f"b{number}".encode() for number in range(EVENTS // CLICKS_PER_USER))
    rows = await read(settings_for_test, changelog)
    assert len({record.key for record in rows}) == len(pushed)
    assert {len(record.value) for record in rows} == {ROW.itemsize}
    if name == "kafka streams":  # the other writes a user's row once a transaction, as this worker does
        assert len(rows) == EVENTS
    async with consumer(settings_for_test) as reading:
        ends = await reading.end_offsets(
            [TopicPartition(push, number) for number in range(settings_for_test.partitions)]
        )
    assert sum(ends.values()) > len(pushed)  # markers have offsets too


@pytest.mark.kafka
async def test_one_that_ends_is_an_error_with_its_reason(settings_for_test: Settings) -> None:
    """Not 300 s of waiting: its topics are missing, so Kafka Streams gives up."""
    if reason := left_out(settings_for_test):
        pytest.skip(reason)
    with pytest.raises(StateError, match=r"kafka streams ended with exit code 1: (?s:.*)MissingSourceTopic"):
        await work_off("kafka streams", settings_for_test)


def test_without_a_jdk_it_is_left_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The reason names the cure."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert left_out(load({})) == "there is no javac on the PATH; install a JDK 17 or later"


def test_with_an_older_jdk_it_is_left_out(jars: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The reason is the compiler's own."""
    try:
        resolve_jars(jars, name="kafka_streams")
    except KafkaError as error:
        pytest.skip(f"no jars: {error}")
    javac = tmp_path / "javac"
    javac.write_text("#!/bin/sh\necho 'error: release version 17 not supported' >&2\nexit 2\n")
    javac.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    reason = left_out(load({}, kafka_cache=jars))
    assert reason == "javac could not compile it: error: release version 17 not supported"


def test_at_a_secured_cluster_it_is_left_out() -> None:
    """It would need the client's certificates and passwords in Java's own form."""
    settings = load({}, security_protocol="SSL", brokers="kafka.example:9093")
    assert left_out(settings) == "it is not told how to reach a secured cluster"
