"""Whatever bytes a letter holds, a person can read them and the terminal is left alone."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from operations.dlq.letters_of import letter

from streamrec.operations.dlq.display import readable, record, text
from streamrec.operations.dlq.letters import Origin
from streamrec.terminal.printable import encoded, printable_json


@given(st.binary(max_size=300), st.integers(1, 100))
def test_any_bytes_are_printable_and_bounded(data: bytes, most: int) -> None:
    """No control character; at most as long as asked for, and then its length is said."""
    shown = readable(data, most)
    assert shown.isprintable()
    assert len(shown) <= most or shown[most:] == f"… ({len(data)} bytes)"


@given(st.text(st.characters(categories=["L", "N"]), max_size=100))
def test_letters_of_any_script_stay_as_they_are(words: str) -> None:
    """Up to the limit nothing is changed; one character above it, the rest is cut."""
    assert readable(words.encode(), 100) == words
    assert readable(words.encode() + b"x", len(words)) == f"{words}… ({len(words.encode()) + 1} bytes)"


def test_a_tombstone_is_not_an_empty_value() -> None:
    """The two are told apart."""
    assert (readable(None), readable(b"")) == ("(null)", "")


@given(st.text(max_size=20), st.binary(max_size=20))
def test_hostile_headers_cannot_act_on_a_terminal(name: str, value: bytes) -> None:
    """Escapes in reason, detail, topic and headers are shown, not sent."""
    name = name.encode("utf-8", "replace").decode()
    hostile = letter(reason="\x1b[2J", detail=name, origin=Origin("\x1b]0;x\x07", 0, 0), own=((name, value),))
    shown = text(hostile, with_value=True)
    assert all(line.isprintable() for line in shown.split("\n"))


@given(st.binary(max_size=20))
def test_json_loses_no_byte(data: bytes) -> None:
    """Whole and exact: text as it is, however long; what is no UTF-8 in base64."""
    raw = json.loads(printable_json(encoded(record(letter(key=data, value=b"x" * 10_000, own=(("h", data),)), True))))
    assert raw["value"] == "x" * 10_000
    for found in (raw["key"], raw["trail"][0][1]):
        assert (base64.b64decode(found["base64"]) if isinstance(found, dict) else found.encode()) == data


@pytest.mark.slow
def test_one_letter_is_a_few_lines_whatever_it_holds() -> None:
    """Fifty thousand headers, a value of a megabyte and one of many lines; --full shows them, still a line each."""
    huge = letter(value=b"line\n" * 200_000, own=tuple((f"h{number}", b"v" * 1000) for number in range(50_000)))
    few = text(huge, with_value=True).split("\n")
    assert len(few) <= 15
    assert max(map(len, few)) < 600
    assert "  and 49990 headers more; --full shows all" in few
    assert few[-1].endswith("… (1000000 bytes)")
    full = text(huge, with_value=True, full=True)
    assert len(full.split("\n")) == 50_004
    assert full.endswith("line\\n")


def test_key_and_value_only_when_asked_for() -> None:
    """They may be about a user."""
    one = letter(key=b"reader7", value=b"private")
    for shown in (text(one, with_value=False), str(record(one, with_value=False))):
        assert "reader7" not in shown
        assert "private" not in shown
