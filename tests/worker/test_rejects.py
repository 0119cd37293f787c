"""What is not taken as it came is counted each time, and sampled in the log: no more lines than a disk can hold."""

import itertools
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import Feed, partition
from prometheus_client import CollectorRegistry

from streamrec.contracts.field_parsing import Note
from streamrec.contracts.records import DeadLetter, RejectReason
from streamrec.observability.metrics import InputTopic, Metrics
from streamrec.worker.reporting.rejects import Rejects

TZ, LINK = Note("tz", "not in the IANA zone database"), Note("deep_link", "a scheme the deployment does not allow")


def letter(offset: int, topic: str = "events", reason: RejectReason = "invalid") -> DeadLetter:
    """A record set aside."""
    return DeadLetter(topic, 0, offset, reason, "user_id", None, None)


def told(caplog: pytest.LogCaptureFixture) -> list[tuple[Any, ...]]:
    """Topic, reason, offset and number left out of each line."""
    names = ("topic", "reason", "offset", "left_out")
    return [tuple(getattr(record, name) for name in names) for record in caplog.records]


def test_a_bad_producer_does_not_fill_the_disk(caplog: pytest.LogCaptureFixture) -> None:
    """One line a second of each topic and reason, and the next one says how many came between."""
    lines = Rejects(Metrics(CollectorRegistry(), ["cap"]))
    for offset in range(1000):
        lines.set_aside("events", letter(offset), at_s=100.0)
    lines.set_aside("events", letter(7, reason="in_future"), at_s=100.5)
    lines.set_aside("events", letter(8, topic="rerouted"), at_s=100.5)
    lines.set_aside("events", letter(1000), at_s=101.0)
    assert told(caplog) == [
        ("events", "invalid", 0, 0),
        ("events", "in_future", 7, 0),
        ("rerouted", "invalid", 8, 0),
        ("events", "invalid", 1000, 999),
    ]


@given(st.lists(st.floats(0, 30), max_size=60).map(sorted))
def test_every_dead_letter_is_told_of_or_counted_in_a_later_line(moments: list[float]) -> None:
    """Lines, what they left out, and what the next one will say make all of them; lines are a second apart."""
    lines, seen = Rejects(Metrics(CollectorRegistry(), ["cap"])), list[logging.LogRecord]()
    log = logging.getLogger("streamrec.worker.reporting.rejects")
    handler = logging.Handler()
    handler.emit = seen.append  # type: ignore[method-assign, assignment]
    log.addHandler(handler)
    try:
        for offset, at_s in enumerate(moments):
            lines.set_aside("events", letter(offset), at_s)
        lines.set_aside("events", letter(len(moments)), at_s=1000.0)
    finally:
        log.removeHandler(handler)
    offsets = [record.__dict__["offset"] for record in seen]
    assert sum(1 + record.__dict__["left_out"] for record in seen) == len(moments) + 1
    at = [*moments, 1000.0]
    assert all(at[later] - at[earlier] >= 1 for earlier, later in itertools.pairwise(offsets))


def test_all_are_counted_and_a_sample_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """A producer that is wrong in every record fills no disk; the next line says how many came between."""
    registry = CollectorRegistry()
    taken = Rejects(Metrics(registry, ["cap"]))
    batches: list[tuple[float, dict[tuple[InputTopic, Note], int]]] = [
        (100.0, {("events", TZ): 3}),
        (101.0, {("events", TZ): 2, ("articles", LINK): 1}),
        (160.0, {("events", TZ): 1}),
    ]
    with caplog.at_level(logging.WARNING):
        for at_s, notes in batches:
            taken.dropped(notes, at_s)
    told = [(line.topic, line.field, line.error, line.left_out) for line in caplog.records]  # type: ignore[attr-defined]
    assert told == [("events", *TZ, 2), ("articles", *LINK, 0), ("events", *TZ, 2)]
    name = "streamrec_dropped_fields_total"
    assert registry.get_sample_value(name, {"topic": "events", "field": "tz"}) == 6
    assert registry.get_sample_value(name, {"topic": "articles", "field": "deep_link"}) == 1


def test_a_partition_tells_what_was_dropped() -> None:
    """Beside the events that count without it."""
    value = b'{"user_id":"u","action":"click","at_ms":1764072000000,"article_id":"a","tz":"Mars/Olympus"}'
    changes = Feed(partition()).events(value, value)
    assert changes.notes == {("events", TZ): 2}
    assert changes.events == {"click": 2}
