"""Replay: the same records, through Kafka and the worker or fed directly, give the same pushes, byte for byte."""

import asyncio
import itertools

import pytest

from streamrec.content.encoder import HashedEncoder
from streamrec.datasets.simulated.log import SimulatedLog
from streamrec.kafka.topics import create
from streamrec.models.prior import Prior
from streamrec.settings import Settings, load
from streamrec.tools.replay.in_process import Direct
from streamrec.tools.replay.outcome import scored_by
from streamrec.tools.replay.producer_records import Group, groups
from streamrec.tools.replay.through_kafka import replay

STEPS = 12_000


def played(span_ms: int) -> list[Group]:
    """A day of simulated news, in groups of this span."""
    log = SimulatedLog(3, n_users=300, hours=24, articles_per_hour=10, visits_per_user_day=6)
    return list(groups(itertools.islice(iter(log), STEPS), span_ms))


def direct(settings: Settings, span_ms: int) -> list[bytes]:
    """Pushes without a broker."""
    machine = Direct(settings, Prior(), HashedEncoder())
    return sorted(push.value for group in played(span_ms) for push in machine.apply(group).pushes)


def by_event_time(**more: object) -> Settings:
    """Settings of a replay."""
    return load({}, policy_time="event", due_scan_s=60.0, partitions=4, web_port=0, **more)


@pytest.mark.slow
def test_the_span_of_a_group_changes_nothing() -> None:
    """Watermarks every ten minutes or every six hours: the same pushes."""
    often, seldom = direct(by_event_time(), 600_000), direct(by_event_time(), 6 * 3_600_000)
    assert often == seldom
    assert len(often) > 100


def test_watermarks_close_their_groups() -> None:
    """Nothing in a later group is as old as an earlier watermark."""
    marks = [group.watermark_ms for group in played(600_000)]
    assert marks == sorted(marks)
    assert len(set(marks)) == len(marks)


@pytest.mark.kafka
def test_kafka_gives_the_same_pushes(settings_for_test: Settings) -> None:
    """Content agent, catalog, batches, transactions and recovery in between change nothing."""
    settings = by_event_time(
        brokers=settings_for_test.brokers,
        topic_prefix=settings_for_test.topic_prefix,
        app_id=settings_for_test.app_id,
    )
    asyncio.run(create(settings))
    outcome = asyncio.run(replay(played(600_000), settings, None, lambda _: None))
    assert outcome.dead_letters == 0
    assert sorted(outcome.pushes) == direct(settings, 600_000)


def test_it_is_said_which_engine_scored() -> None:
    """Two engines may differ in a push; whoever compares two runs has to see it."""
    pushes = direct(by_event_time(), 600_000)
    stamp = Prior().stamp
    assert scored_by(pushes) == {f"{stamp.name} {stamp.version} {stamp.engine}": len(pushes)}
    assert scored_by([]) == {}
