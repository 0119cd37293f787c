"""Tags of articles: what can be read of them, and that they are spelt as preferences spell theirs."""

import unicodedata
from typing import Any

import jsonschema
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import T0

from streamrec.contracts.article import MOST_TAGS
from streamrec.contracts.decode import Origin, Typed, decode_articles, decode_preferences
from streamrec.contracts.limits import SHORT_TEXT_CHARS
from streamrec.contracts.records import RawRecord
from streamrec.contracts.schema import schema
from streamrec.contracts.text import clean_name

ARTICLE: dict[str, Any] = {"article_id": "a", "title": "Quake", "published_at_ms": T0}
LONG = "x" * (SHORT_TEXT_CHARS + 1)


def taken(tags: Any) -> tuple[tuple[str, ...], int]:
    """The tags that were read of an article, and how many notes there are of it."""
    (item,) = decode_articles([RawRecord(0, T0, b"a", orjson.dumps(ARTICLE | {"tags": tags}))], Origin("articles", 0))
    assert isinstance(item, Typed)
    return item.value.tags, len(item.notes)


def preferred(name: str) -> list[str]:
    """The statements of a patch that mutes a tag of this name."""
    record = RawRecord(0, T0, b"u", orjson.dumps({"tags": {name: "mute"}}))
    (item,) = decode_preferences([record], Origin("preferences", 0))
    return list(item.value.said) if isinstance(item, Typed) else []


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (["Volcano", " volcano ", "storm watch"], ("volcano", "storm watch")),
        (["e\u0301lyse\u0301e", "\u00c9LYS\u00c9E"], ("\u00e9lys\u00e9e",)),
        (["J\u030cazz", "\u01f0azz"], ("\u01f0azz",)),  # the capital has no composed form
        (["\u200b", "", "Wetter"], ("wetter",)),
        ([], ()),
        ([f"t{number}" for number in range(MOST_TAGS)], tuple(f"t{number}" for number in range(MOST_TAGS))),
    ],
)
def test_what_the_schema_takes_is_taken_as_it_is(said: Any, meant: tuple[str, ...]) -> None:
    """Each in its one spelling, and once."""
    jsonschema.validate(ARTICLE | {"tags": said}, schema("articles"))
    assert taken(said) == (meant, 0)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Volcano", ("volcano",)),
        (["a", None, ["b"], {"c": 1}, 2026, True, "d"], ("a", "2026", "d")),
        (["a", LONG], ("a", LONG[:-1])),
        ([f"t{number}" for number in range(40)], tuple(f"t{number}" for number in range(MOST_TAGS))),
        (["one"] * 39 + ["two"], ("one", "two")),
        ({"volcano": "follow"}, ()),
        (7, ()),
    ],
)
def test_a_bad_tag_costs_itself(said: Any, meant: tuple[str, ...]) -> None:
    """And never the article; it is noted once."""
    assert not jsonschema.Draft202012Validator(schema("articles")).is_valid(ARTICLE | {"tags": said})
    assert taken(said) == (meant, 1)


texts = st.text(st.characters(exclude_categories=["Cs", "Cf", "Cc"]), max_size=80)


@given(texts | st.just(LONG) | st.just("x" * 63 + " y"))
def test_a_tag_is_what_readers_follow_whoever_writes_it(text: str) -> None:
    """Of any length, composed or not: article and preference have one spelling of it, which is its own."""
    (*found,), _ = taken([text])
    assert [f"tags/{name}" for name in found] == preferred(text) == preferred(unicodedata.normalize("NFD", text))
    assert all(clean_name(name) == name and len(name) <= SHORT_TEXT_CHARS for name in found)


def test_of_two_names_that_are_one_what_asks_for_less_counts() -> None:
    """In whatever order they stand in the record, as of two records."""
    for tags in ({"Oil": "mute", "oil": "follow"}, {"oil": "follow", "OIL": "mute"}, {"oil": None, "OIL": "mute"}):
        (item,) = decode_preferences([RawRecord(0, T0, b"u", orjson.dumps({"tags": tags}))], Origin("preferences", 0))
        assert isinstance(item, Typed)
        assert item.value.said == {"tags/oil": "mute"}
