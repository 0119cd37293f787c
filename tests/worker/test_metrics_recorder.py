"""Facts become series and log lines: what is lost, what nobody reads, and no more lines than a disk can hold."""

import pytest
from slow_log import recorder

from streamrec.contracts.records import DeadLetter
from streamrec.partition.changes import Changes
from streamrec.settings import load


def letter(offset: int) -> DeadLetter:
    """A record set aside."""
    return DeadLetter("events", 0, offset, "invalid", "user_id", None, None)


def test_all_dead_letters_are_counted_though_few_are_told(caplog: pytest.LogCaptureFixture) -> None:
    """The series has every one."""
    counted = recorder(load({}))
    counted.committed(Changes(dead_letters=[letter(n) for n in range(500)]), 0.1, 0)
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
    assert unread == dict.fromkeys(unread, 0) | {"events": 6}
    assert [record.getMessage() for record in caplog.records] == [
        "nobody reads the last 6 of 30 partitions: the topic was enlarged"
    ]
