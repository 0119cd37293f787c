"""contracts/field_parsing.py and limits.py: a field that cannot be read costs itself, and the schema agrees."""

from typing import Any

import jsonschema
import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import DAY, T0

from streamrec.contracts.article import WORDS, ArticleEvent
from streamrec.contracts.decode import Item, Origin, Typed, decode_articles, decode_events
from streamrec.contracts.event import ACTIONS, UserEvent
from streamrec.contracts.field_types import to_ms
from streamrec.contracts.limits import EARLIEST_MS, LATEST_MS
from streamrec.contracts.records import DeadLetter, RawRecord
from streamrec.contracts.schema import schema
from streamrec.engine.profiles.zones import is_zone

EVENT: dict[str, Any] = {"user_id": "u", "action": "click", "at_ms": T0, "article_id": "a"}
ARTICLE: dict[str, Any] = {"article_id": "a", "title": "Quake", "published_at_ms": T0}


def read(topic: str, said: dict[str, Any]) -> Item[UserEvent] | Item[ArticleEvent]:
    """What a record of a topic becomes."""
    record = RawRecord(0, T0, b"the key", orjson.dumps(said))
    decode = decode_events if topic == "events" else decode_articles
    (item,) = decode([record], Origin(topic, 0))
    return item


def event(**changed: Any) -> Typed[UserEvent]:
    """An event that counts, with some fields changed."""
    (item,) = decode_events([RawRecord(0, T0, b"u", orjson.dumps(EVENT | changed))], Origin("events", 0), is_zone)
    assert isinstance(item, Typed)
    return item


def article(**changed: Any) -> Typed[ArticleEvent]:
    """An article that counts, with some fields changed."""
    (item,) = decode_articles([RawRecord(0, T0, b"a", orjson.dumps(ARTICLE | changed))], Origin("articles", 0))
    assert isinstance(item, Typed)
    return item


@pytest.mark.parametrize("zone", ["Etc/Unknown", "+05:30", "GMT+2", 7, ["UTC"], "x" * 70])
def test_an_unknown_zone_costs_the_zone(zone: Any) -> None:
    """The click is a click wherever it was made."""
    done = event(tz=zone)
    assert done.value == msgspec.convert(EVENT, UserEvent)
    assert [note.field for note in done.notes] == ["tz"]


@pytest.mark.parametrize("field", ["article_id", "tz", "dwell_s", "push_id", "query"])
def test_null_is_absent_in_events(field: str) -> None:
    """And nothing to be counted."""
    done = event(action="search", **{field: None})
    assert (getattr(done.value, field), done.notes) == (getattr(UserEvent("u", "search", T0), field), ())


@pytest.mark.parametrize("field", [name for name in ArticleEvent.__struct_fields__ if name not in ARTICLE])
def test_null_is_absent_in_articles(field: str) -> None:
    """And nothing to be counted."""
    done = article(**{field: None})
    assert (done.value, done.notes) == (msgspec.convert(ARTICLE, ArticleEvent), ())


@pytest.mark.parametrize("field", [name for name in ArticleEvent.__struct_fields__ if name not in ARTICLE])
def test_an_unreadable_field_of_an_article_costs_itself(field: str) -> None:
    """Except those without which the article would go out too early."""
    item = read("articles", ARTICLE | {field: {"no": "value"}})
    if field in ("status", "embargo_until_ms", "audience"):
        assert isinstance(item, DeadLetter)
        assert (item.reason, item.detail.partition(":")[0]) == ("invalid", field)
    else:
        assert isinstance(item, Typed)
        assert [note.field for note in item.notes] == [field]
        assert item.value == msgspec.convert(ARTICLE, ArticleEvent)


@pytest.mark.parametrize("raw", [b"1.7640720E12", b"1764072000000.0"])
def test_a_float_may_be_an_integer(raw: bytes) -> None:
    """JSON has one kind of number."""
    value = b'{"user_id":"u","article_id":"a","action":"click","at_ms":%s}' % raw
    (item,) = decode_events([RawRecord(0, T0, b"u", value)], Origin("events", 0))
    assert isinstance(item, Typed)
    assert (item.value.at_ms, item.notes) == (T0, ())


@pytest.mark.parametrize(
    ("field", "said", "taken"),
    [
        ("version", T0, T0),
        ("version", "17", 17),
        ("abstract", "x" * 5_001, "x" * 5_000),
        ("title", "x" * 501, "x" * 500),
        ("article_id", 17, "17"),
        ("status", " Updated ", "updated"),
        ("embargo_until_ms", T0 // 1000, T0),
        ("embargo_until_ms", T0 * 1000, T0),
        ("expires_at_ms", T0 * 1_000_000, T0),
        ("expires_at_ms", str(T0), T0),
        ("expires_at_ms", T0 / 1000 + 0.5, T0 + 500),
        ("breaking", 9, 0),
        ("expires_at_ms", 5, 0),
        ("embedding", [1.0] * 63, None),
        ("embedding", [0.0] * 64, None),
    ],
)
def test_what_can_only_mean_one_thing_is_taken(field: str, said: Any, taken: Any) -> None:
    """And what means nothing is dropped."""
    done = article(**{field: said})
    assert getattr(done.value, field) == taken
    assert [note.field for note in done.notes] == ([field] if said != taken else [])


@pytest.mark.parametrize("per_ms", [1 / 1000, 1, 1000, 1_000_000])
@given(at_ms=st.integers(EARLIEST_MS // 1000 + 1, LATEST_MS // 1000).map(lambda at_s: at_s * 1000))
def test_the_unit_of_a_time_follows_from_its_magnitude(per_ms: float, at_ms: int) -> None:
    """The four ranges do not meet."""
    assert to_ms(at_ms // 1000 if per_ms < 1 else at_ms * int(per_ms)) == at_ms


@pytest.mark.parametrize(
    "text", ["2025-11-25T12:00:00Z", "2025-11-25 13:00+01:00", " 2025-11-25T12:00:00.000000+00:00 ", "20251125T120000Z"]
)
def test_a_text_that_names_its_zone_is_a_time(text: str) -> None:
    """In either topic; one without a zone is not certain, and no time."""
    assert to_ms(text) == T0
    assert event(at_ms=text).value.at_ms == T0
    assert article(published_at_ms=text).value.published_at_ms == T0
    for bad in ("2025-11-25T12:00:00", "2025-11-25", "1970-01-01T00:00:00Z", "noon"):
        letter = read("events", EVENT | {"at_ms": bad})
        assert isinstance(letter, DeadLetter)
        assert bad not in letter.detail


@given(st.integers(-(10**19), 10**19))
def test_no_time_comes_of_what_is_none(number: int) -> None:
    """What lies in no range is refused, not guessed."""
    try:
        found = to_ms(number)
    except ValueError:
        return
    assert found == 0 == number or EARLIEST_MS <= found <= LATEST_MS


words = st.text(st.characters(max_codepoint=0x2FF, exclude_categories=["Cs"]), max_size=8)
anything = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 2**54), st.floats(allow_nan=False, allow_infinity=False), words,
    st.just("x" * 6_000),
    st.sampled_from([T0 // 1000, T0, T0 * 1000, float(T0), 0, 1, 0.0, "\u200b", " a", [], [1.0] * 64, [0.0] * 64, {}]),
)  # fmt: skip
several = st.lists(st.one_of(words, st.just("x" * 65), anything), max_size=34)
NAMES = {"events": UserEvent.__struct_fields__, "articles": ArticleEvent.__struct_fields__}
GOOD = {"events": EVENT, "articles": ARTICLE}


def records(topic: str) -> st.SearchStrategy[dict[str, Any]]:
    """Any, near to a good one."""
    words_of = st.sampled_from([*ACTIONS, "Click "] if topic == "events" else [*WORDS, "Killed"])
    fields = {
        name: st.one_of(anything, words_of if name in ("action", "status") else several if name == "tags" else anything)
        for name in NAMES[topic]
        if name != "tz"  # the schema knows no zones
    }
    drawn = st.fixed_dictionaries({}, optional={**fields, "other": anything})
    gone = st.sets(st.sampled_from(NAMES[topic]), max_size=1)
    return st.builds(
        lambda changed, without: {k: v for k, v in (GOOD[topic] | changed).items() if k not in without}, drawn, gone
    )


@pytest.mark.parametrize("topic", ["events", "articles"])
@given(data=st.data())
def test_schema_and_decoder_agree(topic: str, data: st.DataObject) -> None:
    """A record is valid exactly if the decoder takes it with no field dropped or put right."""
    said = data.draw(records(topic))
    valid = jsonschema.Draft202012Validator(schema(topic)).is_valid(said)
    item = read(topic, said)
    if isinstance(item, DeadLetter) and item.reason == "in_future":
        return  # no schema knows when a record will be appended
    taken = isinstance(item, Typed) and not item.notes
    assert valid == taken, item


@pytest.mark.parametrize("topic", ["events", "articles"])
def test_each_field_is_described(topic: str) -> None:
    """With its unit where it has one, and its default where it may be absent."""
    fields = [
        (name, field, name in body["required"] or name in GOOD[topic])
        for body in schema(topic)["$defs"].values()
        for name, field in body["properties"].items()
    ]
    for name, field, required in fields:
        assert field["description"]
        assert "default" in field or required
        if name.endswith("_ms"):
            assert "in ms since 1970" in field["description"]


def test_an_old_event_teaches() -> None:
    """Whatever its age: history comes in."""
    assert event(at_ms=T0 - 4_000 * DAY).value.at_ms == T0 - 4_000 * DAY
