"""A cluster's topics become the log the system itself went through: on a real broker, and without one."""

import asyncio

import msgspec
import numpy as np
import pytest
from datasets.stored_logs import rejected
from making import HOUR, T0
from making_rows import push
from on_kafka import Sent, article, event, now_ms, send

from streamrec.content.encoder import HashedEncoder
from streamrec.contracts.article import ArticleEvent
from streamrec.contracts.event import UserEvent
from streamrec.datasets.impressions import Seen
from streamrec.datasets.records import Impression, Step, StepLog
from streamrec.datasets.simulated.log import SimulatedLog
from streamrec.datasets.tally import Tally
from streamrec.datasets.topics import log_of, read_topics
from streamrec.errors import DataError, KafkaError
from streamrec.kafka.topics import create
from streamrec.settings import Settings
from streamrec.tools.replay.producer_records import groups
from streamrec.tools.replay.publish import publish
from streamrec.training.rows import rows_of


def test_late_events_are_not_known_early() -> None:
    """A click that came an hour late stands where it came, so no row before that knows of it."""
    articles = [Step(T0, ArticleEvent(name, f"Chip {name}", T0)) for name in ("a", "b")]
    late = Seen(T0 + HOUR, UserEvent("u", "click", T0 + 1, "a"))
    shown = [Seen(T0 + minutes * 60_000, UserEvent("u", "impression", T0, "b")) for minutes in (30, 90)]
    log = log_of(articles, [late, *shown], [], Tally(), 0, T0 + 10 * HOUR)
    rows = rows_of(log, Settings(), HashedEncoder())
    assert [(row >= 0).sum() for row in rows.histories[rows.history]] == [0, 1]
    assert (log.summary.impressions, log.summary.articles, log.summary.users) == (2, 2, 1)
    assert log.summary.steps == len(log.steps) == 7


def test_nothing_shown_is_refused() -> None:
    """The message says what there was, and the cure."""
    with pytest.raises(DataError, match=r"hold 1 events and 1 pushes.*choose other times"):
        log_of([], [Seen(T0, UserEvent("u", "click", T0, "a"))], [push("a", T0)], Tally(), 0, T0 + HOUR)


@pytest.mark.kafka
def test_topics_of_a_real_broker_are_read(settings_for_test: Settings) -> None:
    """Articles, events over all partitions and pushes become steps; what cannot be read is counted, not raised."""
    settings = settings_for_test

    async def scene() -> None:
        await create(settings)
        await send(settings, [article(f"a{number}") for number in range(3)])
        await asyncio.sleep(0.05)  # the push comes after its article
        pushed = msgspec.structs.replace(push("a2", now_ms(), "ann"), expires_at_ms=now_ms() + HOUR // 2)
        events = [event(user, f"a{number}", "impression") for user in ("ann", "bob", "cyd") for number in range(2)]
        events += [event("bob", "a1"), Sent("events", b"x", b"garbage"), Sent("articles", b"y", b"garbage")]
        events += [Sent("push", b"ann", msgspec.json.encode(pushed)), Sent("push", b"ann", b"garbage")]
        deep = msgspec.json.encode(pushed)[:-1] + b',"x":' + b"[" * 1200 + b"]" * 1200 + b"}"
        events.append(Sent("push", b"ann", deep))
        await send(settings, events)
        log = await read_topics(settings, 0, now_ms() + HOUR)
        found = {(s.record.user_id, s.record.clicked) for s in log if isinstance(s.record, Impression)}
        none = (False, False)
        assert found == {("ann", none), ("bob", (False, True)), ("cyd", none), ("ann", (False,))}
        assert sum(rejected(log).values()) == 4
        rows = rows_of(log, settings, HashedEncoder())
        assert (len(rows.x), rows.clicked.sum()) == (7, 1)
        with pytest.raises(DataError, match="nothing was shown"):
            await read_topics(settings, 0, now_ms())  # all of it can still be answered

    asyncio.run(scene())


@pytest.mark.kafka
def test_topics_give_the_rows_that_the_log_gives(settings_for_test: Settings) -> None:
    """A log sent to Kafka and read back teaches the same, to the bit: features, clicks and histories."""
    log = SimulatedLog(seed=9, n_users=60, hours=5, visits_per_user_day=4)  # no two visits of one user within a minute
    settings = settings_for_test.changed(policy_time="event")

    async def scene() -> StepLog:
        await create(settings)
        await publish(groups(log, HOUR), settings, None)
        return await read_topics(settings, 0, now_ms())

    through_kafka, direct = (rows_of(steps, settings, HashedEncoder()) for steps in (asyncio.run(scene()), log))
    for name in ("x", "clicked", "at_ms", "language"):
        np.testing.assert_array_equal(getattr(through_kafka, name), getattr(direct, name), name)
    read, same = (rows.vectors[rows.histories[rows.history]] for rows in (through_kafka, direct))
    np.testing.assert_array_equal(read, same)


@pytest.mark.kafka
def test_missing_topics_are_said(settings_for_test: Settings) -> None:
    """Before `topics create` there is nothing to read; the error names the cure."""
    with pytest.raises(KafkaError, match=r"there is no topic .*articles.* run `streamrec topics create`"):
        asyncio.run(read_topics(settings_for_test, 0, now_ms()))
