"""Facts become series and log lines: what is lost, what nobody reads, and no more lines than a disk can hold."""

import itertools
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from slow_log import recorder

from streamrec.contracts.records import DeadLetter, RejectReason
from streamrec.partition.changes import Changes
from streamrec.settings import load
from streamrec.worker.metrics_recorder import SetAside


def letter(offset: int, topic: str = "events", reason: RejectReason = "invalid") -> DeadLetter:
    """A record set aside."""
    return DeadLetter(topic, 0, offset, reason, "user_id", None, None)


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[Any, ...]]:
    """Topic, reason, offset and number left out of each line."""
    names = ("topic", "reason", "offset", "left_out")
    return [tuple(getattr(record, name) for name in names) for record in caplog.records]


def test_a_bad_producer_does_not_fill_the_disk(caplog: pytest.LogCaptureFixture) -> None:
    """One line a second of each topic and reason, and the next one says how many came between."""
    lines = SetAside()
    for offset in range(1000):
        lines.tell(letter(offset), at_s=100.0)
    lines.tell(letter(7, reason="in_future"), at_s=100.5)
    lines.tell(letter(8, topic="rerouted"), at_s=100.5)
    lines.tell(letter(1000), at_s=101.0)
    assert told(caplog) == [
        ("events", "invalid", 0, 0),
        ("events", "in_future", 7, 0),
        ("rerouted", "invalid", 8, 0),
        ("events", "invalid", 1000, 999),
    ]


@given(st.lists(st.floats(0, 30), max_size=60).map(sorted))
def test_every_dead_letter_is_told_of_or_counted_in_a_later_line(moments: list[float]) -> None:
    """Lines, what they left out, and what the next one will say make all of them; lines are a second apart."""
    lines, seen, log = SetAside(), list[logging.LogRecord](), logging.getLogger("streamrec.worker.metrics_recorder")
    handler = logging.Handler()
    handler.emit = seen.append  # type: ignore[method-assign, assignment]
    log.addHandler(handler)
    try:
        for offset, at_s in enumerate(moments):
            lines.tell(letter(offset), at_s)
        lines.tell(letter(len(moments)), at_s=1000.0)
    finally:
        log.removeHandler(handler)
    offsets = [record.__dict__["offset"] for record in seen]
    assert sum(1 + record.__dict__["left_out"] for record in seen) == len(moments) + 1
    at = [*moments, 1000.0]
    assert all(at[later] - at[earlier] >= 1 for earlier, later in itertools.pairwise(offsets))


def test_all_dead_letters_are_counted_though_few_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """The series has every one."""
    counted = recorder(load({}))
    counted.committed(0, Changes(dead_letters=[letter(n) for n in range(500)]), 0, 0.1, 0)
    assert counted.metrics.dead_letters["events", "invalid"]._value.get() == 500
    assert 1 <= len(caplog.records) < 5


@pytest.mark.parametrize(
    ("topic", "offsets", "lost"),
    [
        ("events", 1, 1),
        ("events", 40, 40),
        ("articles", 2, 2),
        ("catalog", 1, 0),
        ("rerouted", 1, 0),
        ("catalog", 9, 8),
    ],
)
def test_a_transactions_marker_is_no_lost_record(topic: str, offsets: int, lost: int) -> None:
    """A quiet topic of ours that retention emptied has only the marker of its last, applied transaction to lose."""
    counted = recorder(load({}, topic_prefix="p."))
    counted.lost(f"p.{topic}", 0, offsets)
    counters = {name: counter._value.get() for name, counter in counted.metrics.lost_records.items()}
    assert counters == dict.fromkeys(counters, 0) | {topic: lost}


def test_an_enlarged_topic_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    """It is looked at every second; `articles` has one partition, and not known yet is not too many."""
    counted = recorder(load({}, partitions=24))
    for _ in range(3):
        for topic, partitions in (("events", 30), ("catalog", 24), ("articles", 1), ("rerouted", 0)):
            counted.sized(topic, partitions)
    unread = {name: gauge._value.get() for name, gauge in counted.metrics.unread_partitions.items()}
    assert unread == {"articles": 0, "events": 6, "catalog": 0, "rerouted": 0}
    assert [record.getMessage() for record in caplog.records] == [
        "nobody reads the last 6 of 30 partitions: the topic was enlarged"
    ]
