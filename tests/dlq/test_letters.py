"""What is read back from a dead-letter topic is what the worker put there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrec.contracts.records import DeadLetter, RawRecord
from streamrec.dlq.letters import REDRIVEN_HEADER, Letter, Marker, Origin, Place, parse
from streamrec.worker.transaction import LETTER_BYTES, set_aside

OURS = ("streamrec-reason", "streamrec-topic", "streamrec-partition", REDRIVEN_HEADER)
HEADERS = st.lists(st.tuples(st.sampled_from(["trace", *OURS]), st.binary(max_size=20)), max_size=6)


def stored(dead: DeadLetter, offset: int = 3) -> RawRecord:
    """As it lies in the dead-letter topic."""
    key, value, headers, _ = set_aside(dead)
    return RawRecord(offset, 5000, key, value, headers)


@given(HEADERS, st.none() | st.binary(max_size=10), st.none() | st.binary(max_size=10), st.text(max_size=10))
def test_whatever_headers_the_record_brings(
    own: list[tuple[str, bytes]], key: bytes | None, value: bytes | None, detail: str
) -> None:
    """Ours are told from its own even where names are the same; its own come back unchanged and in order."""
    dead = DeadLetter("p.events", 2, 41, "too_old", detail, key, value, own)
    letter = parse("events", 2, stored(dead))
    assert isinstance(letter, Letter)
    assert letter == Letter(
        Place("events", 2, 3), 5000, "too_old", detail, Origin("p.events", 2, 41), tuple(own), key, value
    )


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


SAID = f"of {LETTER_BYTES + 1} bytes was cut to {LETTER_BYTES}"


@pytest.mark.parametrize(
    ("key", "value", "cut"),
    [(0, 0, ""), (0, 1, f"value {SAID}"), (1, 0, f"key {SAID}"), (1, 1, f"key {SAID}, value {SAID}")],
)
def test_a_cut_letter_says_so(key: int, value: int, cut: str) -> None:
    """Key and value each, with both lengths; what just fits is whole; the lengths are no headers of its own."""
    longest = b"x" * LETTER_BYTES
    dead = DeadLetter("e", 0, 0, "too_large", "", longest + b"x" * key, longest + b"x" * value, [("trace", b"t")])
    letter = parse("events", 0, stored(dead))
    assert isinstance(letter, Letter)
    assert (letter.cut, letter.own, letter.key, letter.value) == (cut, (("trace", b"t"),), longest, longest)
