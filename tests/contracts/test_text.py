"""contracts/text.py: one spelling for one text, and nothing invisible in it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrec.contracts.text import clean_id, clean_text

ANY = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Quake\u00adhits", "Quakehits"),
        ("\ufeffQuake \u202ehits\u202c", "Quake hits"),
        ("Quake\r\nhits\t6", "Quake hits 6"),
        ("Que\u0301", "Qu\u00e9"),
        ("\u0645\u06cc\u200c\u0634\u0648\u062f", "\u0645\u06cc\u200c\u0634\u0648\u062f"),
        ("\u0915\u094d\u200d\u0937", "\u0915\u094d\u200d\u0937"),
        ("\U0001f469\u200d\U0001f4bb wins", "\U0001f469\u200d\U0001f4bb wins"),
        ("CD\u200c\u0647\u0627", "CD\u200c\u0647\u0627"),
        ("Tr\u200dump", "Trump"),
        ("\u200dx\u200c ", "x"),
        ("a\0b\x1b[2J", "ab[2J"),
        ("\u200b\u2060", ""),
        ("\u3164 \u2800", ""),
        ("half \ud83d", "half"),
    ],
)
def test_what_nobody_sees_is_gone(text: str, cleaned: str) -> None:
    """Joiners inside words stay, where they carry meaning."""
    assert clean_text(text) == cleaned


@given(ANY)
def test_cleaning_is_done_once(text: str) -> None:
    """Clean text stays as it is, and is the same for each spelling of it."""
    for clean in (clean_id, clean_text):
        done = clean(text)
        assert clean(done) == done == clean(unicodedata.normalize("NFD", text)) == unicodedata.normalize("NFC", done)


def test_half_a_character_is_no_id() -> None:
    """Without it two users would be one."""
    with pytest.raises(ValueError, match="half"):
        clean_id("ann\ud83d")
