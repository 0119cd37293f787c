"""What was set aside and comes back was said when it was first appended, however often that happens."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import HOUR, T0

from streamrec.contracts.decode import Origin, Typed, dead_letter, decode_erasures, decode_events, decode_preferences
from streamrec.contracts.records import APPENDED_HEADER, RawRecord, first_appended_ms

ORIGIN = Origin("t", 0)
Decode = Callable[..., list[Any]]


def redriven(record: RawRecord, at_ms: int) -> RawRecord:
    """The record once it was set aside and written back at a time."""
    letter = dead_letter(record, ORIGIN, "processing_error", "")
    return RawRecord(9, at_ms, letter.key, letter.value, (*letter.trail, ("streamrec-redriven-from", b"t.dlq/0/1")))


@pytest.mark.parametrize(
    ("decode", "value"),
    [
        (decode_preferences, b'{"consent": true}'),
        (decode_preferences, b'{"consent": true, "at_ms": %d}' % (T0 + HOUR // 2)),
        (decode_preferences, None),
        (decode_erasures, b"{}"),
        (decode_erasures, None),
        (decode_events, b'{"user_id": "u", "action": "unsubscribe"}'),
        (decode_events, b'{"user_id": "u", "action": "subscribe", "at_ms": %d}' % (T0 + 60_000)),
    ],
)
def test_a_statement_that_comes_back_is_as_old_as_it_was(decode: Decode, value: bytes | None) -> None:
    """Where it says no time, or one that is ahead: a redriven yes must not beat a newer no."""
    first = RawRecord(0, T0, b"u", value)
    for record in (first, redriven(first, T0 + HOUR), redriven(redriven(first, T0 + HOUR), T0 + 2 * HOUR)):
        (item,) = decode([record], ORIGIN)
        assert item.value.at_ms == T0
        assert item.appended_ms == record.timestamp


def test_a_time_that_was_said_stays() -> None:
    """It is older than the append, and the header says nothing about it."""
    value = msgspec.json.encode({"consent": True, "at_ms": T0 - HOUR})
    (item,) = decode_preferences([redriven(RawRecord(0, T0, b"u", value), T0 + HOUR)], ORIGIN)
    assert isinstance(item, Typed)
    assert item.value.at_ms == T0 - HOUR


@given(st.integers(T0, T0 + HOUR), st.lists(st.binary(max_size=15), max_size=3))
def test_a_header_of_anybody_makes_nothing_newer(at_ms: int, said: list[bytes]) -> None:
    """Whatever it holds, and however often it stands there; of a letter it stands there once."""
    record = RawRecord(0, at_ms, b"u", b"{}", [(APPENDED_HEADER, one) for one in [*said, b"99999999999999"[:13]]])
    assert first_appended_ms(record) <= at_ms
    letter = dead_letter(record, ORIGIN, "invalid", "")
    assert [name for name, _ in letter.trail] == [APPENDED_HEADER]
