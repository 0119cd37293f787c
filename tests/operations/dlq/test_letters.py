"""What is read back from a dead-letter topic is what the worker put there."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrec.contracts.record_size import record_bytes
from streamrec.contracts.records import DeadLetter, RawRecord
from streamrec.kafka.transactions import LETTER_BYTES, set_aside
from streamrec.operations.dlq.letters import REDRIVEN_HEADER, Letter, Marker, Origin, Place, parse

OURS = ("streamrec-reason", "streamrec-topic", "streamrec-partition", REDRIVEN_HEADER)
LENGTHS = ("streamrec-key-bytes", "streamrec-value-bytes", "streamrec-headers-bytes")
HEADERS = st.lists(st.tuples(st.sampled_from(["trace", *OURS, *LENGTHS]), st.binary(max_size=20)), max_size=6)


def stored(dead: DeadLetter, offset: int = 3) -> RawRecord:
    """As it lies in the dead-letter topic."""
    key, value, headers, _ = set_aside(dead)
    return RawRecord(offset, 5000, key, value, headers)


@given(HEADERS, st.none() | st.binary(max_size=10), st.none() | st.binary(max_size=10), st.text(max_size=10))
def test_whatever_headers_the_record_brings(
    own: list[tuple[str, bytes]], key: bytes | None, value: bytes | None, detail: str
) -> None:
    """Ours are told from its own even where names are the same; its own come back unchanged and in order."""
    dead = DeadLetter("p.events", 2, 41, "in_future", detail, key, value, own)
    letter = parse("events", 2, stored(dead))
    assert isinstance(letter, Letter)
    assert letter == Letter(
        Place("events", 2, 3), 5000, "in_future", detail, Origin("p.events", 2, 41), tuple(own), key, value,
        record_bytes(key, value, own),
    )  # fmt: skip


@given(st.integers(0, 2**62))
def test_a_marker_is_no_letter(offset: int) -> None:
    """It names a letter of its own partition."""
    marker = parse("events", 2, RawRecord(9, 6000, None, None, [(REDRIVEN_HEADER, b"%d" % offset)]))
    assert marker == Marker(Place("events", 2, offset), 6000)


@given(HEADERS)
def test_what_nobody_set_aside_is_passed_over(headers: list[tuple[str, bytes]]) -> None:
    """A record without a reason, and without the number of a letter, is neither; nothing in it raises."""
    headers = [(name, value) for name, value in headers if name not in {"streamrec-reason", REDRIVEN_HEADER}]
    assert parse("events", 0, RawRecord(1, 1, b"k", b"v", headers)) is None
    assert parse("events", 0, RawRecord(1, 1, None, None, [*headers, (REDRIVEN_HEADER, b"9" * 5000)])) is None


@pytest.mark.parametrize(("key", "value"), [(10, 890_000), (890_000, 10), (900_000, 900_000), (300_000, 20_000_000)])
def test_a_cut_letter_says_so(key: int, value: int) -> None:
    """Key and value each, with both lengths; what just fits is whole; the lengths are no headers of its own."""
    dead = DeadLetter("e", 0, 0, "too_large", "", b"k" * key, b"v" * value, [("trace", b"t")])
    letter = parse("events", 0, stored(dead))
    assert isinstance(letter, Letter)
    assert letter.own == (("trace", b"t"),)
    if key + value == 890_010:
        assert (letter.cut, letter.key, letter.value) == ("", dead.key, dead.value)
    else:
        parts = f"key of {key} bytes was cut to {LETTER_BYTES}", f"value of {value} bytes was cut to {LETTER_BYTES}"
        assert letter.cut == ", ".join(parts)
        assert (letter.key, letter.value) == (b"k" * LETTER_BYTES, b"v" * LETTER_BYTES)


def test_a_letter_of_a_whole_batch_lacks_its_records() -> None:
    """It says which they are, and cannot be sent back."""
    letter = parse("events", 2, stored(DeadLetter("events", 2, 9, "unreadable_batch", "offsets 1 to 9", None, None)))
    assert isinstance(letter, Letter)
    assert letter.cut == "offsets 1 to 9"


def test_a_letter_of_an_earlier_release_is_read() -> None:
    """It had the lengths behind all headers, of what was cut only."""
    headers = [("streamrec-reason", b"too_large"), ("trace", b"t"), ("streamrec-value-bytes", b"9")]
    letter = parse("events", 0, RawRecord(1, 1, b"k", b"v", headers))
    assert isinstance(letter, Letter)
    assert (letter.cut, letter.own) == ("value of 9 bytes was cut to 1", (("trace", b"t"),))


@given(st.lists(st.tuples(st.sampled_from([*OURS, *LENGTHS]), st.none() | st.text(max_size=5).map(str.encode))))
def test_whatever_else_lies_there_is_read(headers: list[tuple[str, bytes | None]]) -> None:
    """Kafka allows headers that are null, and anybody to write: a letter, a marker or neither, and nothing raises."""
    whatever: Any = headers
    parse("events", 0, RawRecord(1, 1, None, None, whatever))
