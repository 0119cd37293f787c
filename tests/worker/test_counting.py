"""Facts become series and log lines."""

import pytest
from slow_log import counting

from streamrec.settings import load


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
    counted = counting(load({}, topic_prefix="p."))
    counted.lost(f"p.{topic}", 0, offsets)
    counters = {name: counter._value.get() for name, counter in counted.metrics.lost_records.items()}
    assert counters == dict.fromkeys(counters, 0) | {topic: lost}
