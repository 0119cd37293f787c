"""Events off the wire: a batch means what its records mean one by one, and nothing in a record raises."""

from typing import cast

import orjson
from hypothesis import given
from hypothesis import strategies as st
from making import DAY, T0

from streamrec.contracts.decode import Origin, Typed, decode_articles, decode_catalog, decode_events
from streamrec.contracts.event import UserEvent
from streamrec.contracts.records import DeadLetter, RawRecord, UnreadableBatch, watermark_headers
from streamrec.engine.profiles.zones import is_zone

ORIGIN = Origin("events", 0)

good = st.fixed_dictionaries(
    {
        "user_id": st.sampled_from(["ann", "\u6768", "an\u0301na "]),
        "article_id": st.just("a1"),
        "action": st.sampled_from(["click", "dwell", "search"]),
        "at_ms": st.integers(T0 - DAY, T0),
    },
    optional={"tz": st.sampled_from(["Asia/Shanghai", "UTC"]), "more": st.integers(0, 9)},
)
faults = st.sampled_from(
    [
        {"tz": "Mars/Olympus"},
        {"at_ms": T0 - 8 * DAY},
        {"at_ms": T0 + DAY},
        {"at_ms": "now"},
        {"article_id": ""},
        {"action": "teleport"},
        {"user_id": ""},
    ]
)
raw = st.one_of(
    good.map(orjson.dumps),
    good.map(orjson.dumps),
    st.builds(lambda record, fault: orjson.dumps(record | fault), good, faults),
    st.binary(max_size=8),
    st.none(),
    st.just(b'{"user_id":"a","article_id":"b","action":"click","at_ms":%d,"x":%s}' % (T0, b"[" * 1200 + b"]" * 1200)),
    st.just(b'{"user_id":"a","article_id":"b","action":"click","at_ms":%d},{}' % T0),
)
headers = st.sampled_from(
    [
        (),
        (),
        (("traceparent", b"00-1"),),
        tuple(watermark_headers(T0)),
        (("streamrec-watermark", cast(bytes, None)),),  # Kafka allows that
        (("streamrec-watermark", b"9" * 5_000),),
    ]
)


@given(st.lists(st.tuples(raw, headers), max_size=12))
def test_a_batch_is_its_records_one_by_one(batch: list[tuple[bytes | None, tuple[tuple[str, bytes], ...]]]) -> None:
    """The short way through a batch of good events finds the same items as looking at each record."""
    records = [RawRecord(i, T0, b"k", value, header) for i, (value, header) in enumerate(batch)]
    alone = [item for record in records for item in decode_events([record], ORIGIN, is_zone)]
    bad = RawRecord(len(records), T0, b"k", b"{")
    assert decode_events(records, ORIGIN, is_zone) == alone
    assert decode_events([*records, bad], ORIGIN, is_zone)[:-1] == alone


@given(st.lists(good.map(orjson.dumps), min_size=1, max_size=12))
def test_good_events_are_all_typed(values: list[bytes]) -> None:
    """Nothing good is set aside."""
    items = decode_events([RawRecord(i, T0, b"k", value) for i, value in enumerate(values)], ORIGIN, is_zone)
    assert all(isinstance(item, Typed) for item in items)


def test_what_is_nested_too_deep_costs_its_field() -> None:
    """A valid event with a field nobody asked for: Python's own limit must cost neither a recovery nor the event."""
    deep = b'{"user_id":"a","article_id":"b","action":"click","at_ms":%d,"x":%s}' % (T0, b"[" * 1200 + b"]" * 1200)
    (item,) = decode_events([RawRecord(0, T0, b"k", deep)], ORIGIN, is_zone)
    assert isinstance(item, Typed)
    assert item.value == UserEvent("a", "click", T0, "b")
    (letter,) = decode_events([RawRecord(0, T0, b"k", deep[:-2])], ORIGIN, is_zone)
    assert isinstance(letter, DeadLetter)
    assert (letter.reason, letter.value) == ("undecodable", deep[:-2])


def test_a_batch_that_cannot_be_read_is_one_dead_letter() -> None:
    """Among good records and in whatever topic; a producer that writes nothing has not written that."""
    said = "offsets 3 to 7 are one batch"
    record, empty = RawRecord(7, T0, None, UnreadableBatch(said)), RawRecord(8, T0, None, b"")
    for decode in (decode_events, decode_articles, decode_catalog):
        whole, other = decode([record, empty], Origin("events", 1))
        assert whole == DeadLetter("events", 1, 7, "unreadable_batch", said, None, None)
        assert cast(DeadLetter, other).reason != "unreadable_batch"
