"""content/category.py and its word list."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unrelated import HEADLINES

from streamrec.content.category import CATEGORY_WORDS, CLAIMED, LONGEST_HAN, canonical, category_of, guess_category
from streamrec.content.language import LANGUAGES, guess_language
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
    assert guess_category(guess_language(title), title) == expected


@pytest.mark.parametrize(
    ("language", "title", "expected"),
    [
        ("en", "Coach praises goalkeeper after football match", "sports"),
        ("en", "Police arrested a suspect after the robbery", "crime"),
        ("en", "Bank lowers its forecast for inflation and profits", "business"),
        ("en", "Heavy snowfall and freezing temperatures", "weather"),
        ("da", "Politiet har anholdt tre for røveri", "crime"),
        ("da", "Skuespiller får barn med kendt sanger", ""),
        ("da", "Lægerne på sygehuset frygter influenza", "health"),
        ("da", "Regeringen og Venstre enige om valg", "politics"),
        ("zh", "警方逮捕一名抢劫嫌疑人", "crime"),
        ("zh", "國會議員批評總統", "politics"),
        ("zh", "医院接种流感疫苗", "health"),
        ("nl", "Minister bezoekt kamp voor vluchtelingen in Griekenland", ""),
        ("de", "Der Bank fehlt ein Film im Museum", ""),
        ("sv", "Regeringen presenterar ny film om fotboll", ""),
        ("fr", "Le concert du festival de musique est annulé", ""),
        ("ja", "大統領が選挙に投票", ""),
        ("ru", "Футбол: матч отложен", ""),
    ],
)
def test_a_category_is_guessed_in_the_languages_claimed_and_in_no_other(
    language: str, title: str, expected: str
) -> None:
    """A word means something else in another language, so nothing is said of those without a word list."""
    assert (guess_category(language, title), guess_language(title)) == (expected, language)


@pytest.mark.parametrize("language", sorted(HEADLINES.keys() - CLAIMED))
def test_no_category_is_guessed_elsewhere(language: str) -> None:
    """Whatever the headline, and by the language guessed, too."""
    titles = HEADLINES[language]
    assert {guess_category(language, title) for title in titles} == {""}
    assert sum(guess_category(guess_language(title), title) == "" for title in titles) >= 11


def test_a_tie_is_undecided() -> None:
    """One word for each of two categories is no reason to choose either."""
    assert guess_category("en", "Senate and quarterback") == ""


def test_the_given_category_wins_in_lower_case() -> None:
    """What the newsroom says is not second-guessed."""
    assert category_of(" FoodAndDrink ", "en", "Quarterback beats Patriots") == "foodanddrink"
    assert category_of("", "en", "Quarterback beats Patriots") == "sports"


def test_the_word_list_names_each_word_once_and_in_a_form_that_can_match() -> None:
    """A word in two categories, a stop word, or one the tokeniser would split could never speak for a category."""
    found = Counter(word for words in CATEGORY_WORDS.values() for word in words)
    assert [word for word, times in found.items() if times > 1] == []
    assert [word for word in found if pieces(word) != [word]] == []
    assert [word for word in found if is_han(word) and not 1 < len(word) <= LONGEST_HAN] == []
    assert set(found) & frozenset().union(*(BY_LANGUAGE[language] for language in CLAIMED)) == set()
    assert set(CATEGORY_WORDS) == set(CATEGORIES)


@pytest.mark.parametrize("category", [*CATEGORIES, "finance", "NEWS", "foodanddrink", "krimi", "my own desk", ""])
def test_a_canonical_name_is_its_own(category: str) -> None:
    """The well-known name where there is one, else the name itself; never a name that stands for another."""
    assert canonical(canonical(category)) == canonical(category) == canonical(f" {category.upper()} ")


@settings(deadline=None)
@given(st.sampled_from(sorted(LANGUAGES)), st.text(), st.text())
def test_any_text_is_safe(language: str, title: str, abstract: str) -> None:
    """No text raises; a guess is a known category or undecided."""
    assert guess_category(language, title, abstract) in {*CATEGORIES, ""}
