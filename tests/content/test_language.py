"""content/language.py."""

import gzip

import pytest
from datasets.stored_logs import stored
from hypothesis import given, settings
from hypothesis import strategies as st
from unrelated import HEADLINES

from streamrec.content.language import LANGUAGES, guess_language, language_of

DANISH = [
    "Regionen lukker tre sygehuse næste år",
    "Brøndby slår AGF i dramatisk kamp",
    "Vejret bliver koldt og vådt i weekenden",
    "Togene kører igen efter strømsvigt",
    "Kronprinsen besøger skole i Esbjerg",
    "Ejendomspriserne falder for første gang i fem år",
    "Fem kendte danskere skal med på ekspedition",
    "Elever klager over eksamen",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Quantum chip breaks record in national laboratory", "en"),
        ("量子芯片打破世界纪录", "zh"),
        ("量子晶片打破世界紀錄", "zh"),
        ("苹果发布 iPhone 17 Pro Max", "zh"),
        ("Kanzler kündigt nach Niederlage den Rücktritt an", "de"),
        ("日本の首相が辞任を発表した", "ja"),
        ("대통령이 새로운 정책을 발표했다", "ko"),
        ("Правительство меняет закон", "ru"),
        ("首相辞任表明", "ja"),
        ("衆院選投開票", "ja"),
        ("東京株価急落", "ja"),
        ("与党税制改正大綱決定", "ja"),
        ("全国高校野球選手権開幕", "ja"),
        ("沖縄県知事選挙結果", "ja"),
        ("東京奧運開幕", "zh"),
        ("日本首相訪問台北", "zh"),
        ("英国首相宣布大选", "zh"),
        ("Apple представила iPhone 17 Pro Max", "ru"),
        ("ျမန္မာ သတင္း", "my"),
        ("საქართველოს მთავრობა", "ka"),
        ("", "und"),
        ("12:30 - 14.5 %!", "und"),
    ],
)
def test_languages_are_told_apart(text: str, expected: str) -> None:
    """Scripts decide where they can; kanji alone are Japanese by their forms; without letters, undecided."""
    assert guess_language(text) == expected


def test_danish_headlines_are_danish() -> None:
    """Danish is told from Swedish, Norwegian and German, even in a short headline."""
    assert [guess_language(title) for title in DANISH].count("da") >= len(DANISH) - 1


@pytest.mark.parametrize("language", HEADLINES)
def test_headlines_of_many_languages(language: str) -> None:
    """At least eleven of twelve unprepared headlines are recognised, in each of 23 languages."""
    titles = HEADLINES[language]
    assert sum(guess_language(title) == language for title in titles) >= 11 / 12 * len(titles)


@pytest.mark.parametrize("tag", ["no", "nb", "nn", "nb-NO", "nn_NO", "nob", "nor", "NO"])
def test_norwegian_is_one_language(tag: str) -> None:
    """A reader of articles tagged with one of its names is served those tagged with another."""
    assert language_of(tag, "Regjeringen legger fram nytt budsjett") == "nb"


def test_any_norwegian_headline_is_of_that_language() -> None:
    """A guess and a tag name it alike."""
    assert guess_language("Statsministeren sier nei til høyere skatter på vannkraft") == language_of("no", "")


@pytest.mark.parametrize(
    ("tag", "expected"),
    [("da-DK", "da"), ("zh-Hant-TW", "zh"), ("en_US", "en"), (" EN ", "en"), ("zho", "zh"), ("dan", "da")],
)
def test_the_given_tag_wins(tag: str, expected: str) -> None:
    """A BCP 47 tag is cut to its primary language and believed."""
    assert language_of(tag, "Les Misérables à Paris") == expected


@pytest.mark.parametrize("tag", ["", "english", "qqq", "-", "x"])
def test_a_tag_that_names_no_language_is_replaced_by_a_guess(tag: str) -> None:
    """Language is always ISO 639-1 or "und", whatever the producer wrote."""
    assert language_of(tag, "The government announces a new budget") == "en"


@settings(deadline=None)  # the first text loads a model
@given(st.text())
def test_any_text_has_a_language_of_the_closed_set(text: str) -> None:
    """No text raises, and the answer is one the language rule and the schema know."""
    assert guess_language(text) in LANGUAGES
    assert guess_language(text) == guess_language(text)


@pytest.mark.data
@pytest.mark.parametrize(("column", "language"), [(3, "en"), (5, "zh")])
def test_real_headlines(column: int, language: str) -> None:
    """At least 97 of 100 real headlines are recognised."""
    with gzip.open(stored("mind_sample/news.tsv.gz"), "rt", encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines][1:]
    titles = [row[column] for row in rows if len(row) > column and row[column]][:1000]
    assert sum(guess_language(title) == language for title in titles) >= 0.97 * len(titles)
