"""Text from outside is one line that acts on no terminal, and stays readable."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrec.terminal.printable import encoded, printable, printable_json, printable_lines

ANY_TEXT = st.text(st.characters(), max_size=60)  # surrogates, too
HARMLESS_INVISIBLE = {"\u200c", "\u200d"} | {chr(code) for code in range(0xE0020, 0xE0080)}


def acts(char: str) -> bool:
    """Whether a terminal may do something else with it than show it."""
    return char not in HARMLESS_INVISIBLE and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(ANY_TEXT, st.integers(1, 80))
def test_nothing_acts_and_the_length_is_kept(text: str, most: int) -> None:
    """Whatever comes in: one line, UTF-8, nothing that acts, not too long, and done again the same."""
    shown = printable(text, most)
    assert not any(map(acts, shown))
    assert shown.splitlines() in ([], [shown])
    assert len(shown) <= most
    shown.encode()
    assert printable(printable(text, None), None) == printable(text, None)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x07", r"\x1b[2J\x07"),
        ("a\npush u2 <- 'x'", r"a\npush u2 <- 'x'"),
        ("a\u2028b\x85c\rd", r"a\u2028b\x85c\rd"),
        ("\x9b31m\x7f", r"\x9b31m\x7f"),
        ("\u202egnp.exe\u2066", r"\u202egnp.exe\u2066"),
        ("u\u200b1 u\u200d1 u\ufeff1", r"u\u200b1 u\u200d1 u\ufeff1"),
        ("\ud83d", r"\ud83d"),
        ("[red]:smile:[/red]", "[red]:smile:[/red]"),
        ("nur\u00a0heute\u3000今日", "nur heute 今日"),
    ],
)
def test_what_acts_is_shown_as_an_escape(text: str, shown: str) -> None:
    """By name: codes of terminals, line ends of all kinds, turned direction, invisible characters, half a pair."""
    assert printable(text) == shown


@pytest.mark.parametrize(
    "text", ["Müller, naïve", "می‌خواهم", "क्‍ष", "量子计算机", "👨‍👩‍👧 ❤️‍🔥 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇩🇰", "שלום", r"C:\new [red]"]
)
def test_letters_and_emoji_stay(text: str) -> None:
    """Joiners inside words and families, and the tags of a flag, are part of what people write."""
    assert printable(text) == text


def test_a_long_text_is_cut() -> None:
    """To 200 characters with the ellipsis, escapes counted as they are shown."""
    assert printable("x" * 200) == "x" * 200
    assert printable("x" * 201) == "x" * 199 + "…"
    assert printable("\x00" * 200) == (r"\x00" * 50)[:199] + "…"


def test_lines_of_several_are_told_apart() -> None:
    """No line but the first begins at the margin."""
    assert printable_lines("KafkaError: it ended:\n  one\r\nDataError: forged\x1b[A") == (
        "KafkaError: it ended:\n    one\n    DataError: forged\\x1b[A"
    )


@given(
    st.recursive(
        ANY_TEXT | st.integers(0, 9), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner)
    )
)
def test_json_is_exact_and_safe(told: object) -> None:
    """What is read back is what was written, on one line that acts on nothing."""
    line = printable_json(encoded(told))
    assert not any(map(acts, line))
    assert json.loads(line) == told


def test_json_of_others_is_put_on_one_line() -> None:
    """As a gateway gets it, whoever wrote it."""
    assert printable_json('{\r\n\t"a": "\x7f\u202eé"}'.encode()) == r'{   "a": "\u007f\u202eé"}'
