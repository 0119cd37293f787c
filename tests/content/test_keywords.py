"""content/keywords.py."""

from hypothesis import given, settings
from hypothesis import strategies as st

from streamrec.content.keywords import MAX_KEYWORDS, keywords_of
from streamrec.content.stop_words import STOP_WORDS
from streamrec.content.words import words


def test_the_title_leads() -> None:
    """Title words come before words of the abstract; stop words and numbers never come."""
    found = keywords_of("The comet of 2026 returns", "Astronomers saw the comet with a small telescope")
    assert found[:2] == ("comet", "returns")
    assert "telescope" in found
    assert not set(found) & {"the", "2026", "a", "of"}


def test_chinese_keywords_are_words_not_characters() -> None:
    """A Chinese keyword has at least two characters and comes from the segmenter."""
    assert keywords_of("量子芯片的速度打破世界纪录")[:2] == ("量子", "芯片")


def test_names_are_preferred() -> None:
    """Of two words seen once, the one that looks like a name comes first."""
    assert keywords_of("markets fall after warning from Frankfurt")[0] == "frankfurt"


@settings(deadline=None)  # the first text loads a model
@given(st.text(), st.text())
def test_keywords_are_words_of_the_text(title: str, abstract: str) -> None:
    """At most eight distinct words, all from the text, none a stop word, and the same every time."""
    found = keywords_of(title, abstract)
    assert len(found) == len(set(found)) <= MAX_KEYWORDS
    assert set(found) <= set(words(title)) | set(words(abstract[:1000]))
    assert not set(found) & STOP_WORDS
    assert found == keywords_of(title, abstract)
