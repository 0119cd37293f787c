"""worker/field_notes.py: each field not taken as it came is counted, and one a minute of a kind is in the log."""

import logging

import pytest
from making import Feed, partition
from prometheus_client import CollectorRegistry

from streamrec.contracts.field_reading import Note
from streamrec.observability.metrics import InputTopic, Metrics
from streamrec.worker.field_notes import FieldNotes

TZ, LINK = Note("tz", "not in the IANA zone database"), Note("deep_link", "a scheme the deployment does not allow")


def test_all_are_counted_and_a_sample_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """A producer that is wrong in every record fills no disk; the next line says how many came between."""
    registry = CollectorRegistry()
    taken = FieldNotes(Metrics(registry, ["cap"]))
    batches: list[tuple[float, dict[tuple[InputTopic, Note], int]]] = [
        (100.0, {("events", TZ): 3}),
        (101.0, {("events", TZ): 2, ("articles", LINK): 1}),
        (160.0, {("events", TZ): 1}),
    ]
    with caplog.at_level(logging.WARNING):
        for at_s, notes in batches:
            taken.take(notes, at_s)
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
