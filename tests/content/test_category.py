"""content/category.py and content/lexicon.py."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamrec.content.category import LONGEST_HAN, canonical, category_of, guess_category
from streamrec.content.lexicon import TEXT
from streamrec.content.stop_words import BY_LANGUAGE
from streamrec.content.words import is_han, pieces
from streamrec.contracts.ids import CATEGORIES


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Quarterback injured as Patriots beat Cowboys", "sports"),
        ("Senate votes on impeachment of the president", "politics"),
        ("NASA telescope finds a planet", "science"),
        ("Politiet efterlyser vidner efter røveri", "crime"),
        ("Fodboldlandsholdet klar til kampen", "sports"),
        ("Nationalbanken sænker renten", "business"),
        ("量子望远镜发现新行星", "science"),
        ("四分衛率領球隊贏得比賽", "sports"),
        ("央行下调利率 股市上涨", "business"),
        ("Something else entirely", ""),
        ("", ""),
    ],
)
def test_words_speak_for_a_category(title: str, expected: str) -> None:
    """Category words of three languages and both Chinese scripts are found, inside compounds too."""
    assert guess_category(title) == expected


def test_a_tie_is_undecided() -> None:
    """One word for each of two categories is no reason to choose either."""
    assert guess_category("Senate and quarterback") == ""


def test_the_given_category_wins_in_lower_case() -> None:
    """What the newsroom says is not second-guessed."""
    assert category_of(" FoodAndDrink ", "Quarterback beats Patriots") == "foodanddrink"
    assert category_of("", "Quarterback beats Patriots") == "sports"


def test_the_lexicon_names_each_word_once_and_in_a_form_that_can_match() -> None:
    """A word in two categories, a stop word, or one the tokeniser would split could never speak for a category."""
    found = Counter(word for text in TEXT.values() for word in text.split())
    assert [word for word, times in found.items() if times > 1] == []
    assert [word for word in found if pieces(word) != [word]] == []
    assert [word for word in found if is_han(word) and not 1 < len(word) <= LONGEST_HAN] == []
    assert set(found) & frozenset().union(*(BY_LANGUAGE[language] for language in ("en", "da", "zh"))) == set()
    assert set(TEXT) == set(CATEGORIES)


@pytest.mark.parametrize("category", [*CATEGORIES, "finance", "NEWS", "foodanddrink", "krimi", "my own desk", ""])
def test_a_canonical_name_is_its_own(category: str) -> None:
    """The well-known name where there is one, else the name itself; never a name that stands for another."""
    assert canonical(canonical(category)) == canonical(category) == canonical(f" {category.upper()} ")


@settings(deadline=None)
@given(st.text(), st.text())
def test_any_text_is_safe(title: str, abstract: str) -> None:
    """No text raises; a guess is a known category or undecided."""
    assert guess_category(title, abstract) in {*CATEGORIES, ""}
