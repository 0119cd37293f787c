"""contracts/audience.py: what can be read of an audience, and that no misreading makes it larger."""

import json
from typing import Any

import jsonschema
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import T0

from streamrec.contracts.article import ArticleEvent
from streamrec.contracts.audience import MOST_NAMES, Audience, Ramp, is_nobody
from streamrec.contracts.decode import Item, Origin, Typed, decode_articles
from streamrec.contracts.places import country_of, is_country, present_name
from streamrec.contracts.records import DeadLetter, RawRecord
from streamrec.contracts.schema import schema

LISTS = ("languages", "zones", "countries", "categories", "followers")
ARTICLE: dict[str, Any] = {"article_id": "a", "title": "Quake", "published_at_ms": T0}


def read(audience: Any) -> Item[ArticleEvent]:
    """What an article with this audience becomes."""
    record = RawRecord(0, T0, b"a", orjson.dumps(ARTICLE | {"audience": audience}))
    (item,) = decode_articles([record], Origin("articles", 0))
    return item


def taken(audience: Any) -> tuple[Audience | None, int]:
    """The audience that was read, and how many notes there are of it."""
    item = read(audience)
    assert isinstance(item, Typed)
    return item.value.audience, len(item.notes)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({"everybody": True}, Audience(everybody=True)),
        ({"everybody": True, "languages": None}, Audience(everybody=True)),
        ({"share": 1, "everybody": False}, Audience(share=1.0)),
        ({"languages": ["DA-dk", "da-DK"]}, Audience(languages=("da-dk",))),
        ({"countries": [" dk", "SE"]}, Audience(countries=("DK", "SE"))),
        ({"zones": []}, Audience(zones=())),
        ({"everybody": True, "ramp": {"share": 0.1, "after_min": 15}}, Audience(True, ramp=Ramp(0.1, 15.0))),
        ({"zones": ["Europe/Copenhagen"] * 200}, Audience(zones=("Europe/Copenhagen",))),
        (
            {"followers": ["Stories/S17", "TAGS/Volcano ", "tags/volcano"]},
            Audience(followers=("stories/S17", "tags/volcano")),
        ),
        ({"followers": ["stories/" + "x" * 128]}, Audience(followers=("stories/" + "x" * 128,))),
        (None, None),
    ],
)
def test_what_the_schema_takes_is_taken_as_it_is(said: Any, meant: Audience | None) -> None:
    """Each name in its one spelling, and once; null says nothing."""
    jsonschema.validate(ARTICLE | {"audience": said}, schema("articles"))
    assert taken(said) == (meant, 0)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("everybody", Audience(everybody=True)),
        ({"countries": "DK"}, Audience(countries=("DK",))),
        ({"countries": ["DK", 7, None, ["SE"], "x" * 65, "\ud800"]}, Audience(countries=("DK",))),
        ({"zones": [7]}, Audience(zones=())),
        ({"share": "0.25"}, Audience(share=0.25)),
        ({"share": "1e-3", "ramp": {"share": "0.5", "after_min": "5"}}, Audience(share=0.001, ramp=Ramp(0.5, 5.0))),
    ],
)
def test_a_misread_audience_is_smaller(said: Any, meant: Audience) -> None:
    """A name that is none costs itself, a text may be a number; both are noted."""
    record = ARTICLE | {"audience": said}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(record, schema("articles"))
    raw = json.dumps(record).encode()  # half a character too, which orjson refuses
    (item,) = decode_articles([RawRecord(0, T0, b"a", raw)], Origin("articles", 0))
    assert isinstance(item, Typed)
    assert (item.value.audience, len(item.notes)) == (meant, 1)


@pytest.mark.parametrize(
    "said",
    [
        True, 1, "all", "DK", [], ["everybody"], {}, {"everybody": False}, {"everybody": None}, {"everybody": 1},
        {"everybody": "true"}, {"ramp": {"share": 0.1, "after_min": 5}}, {"country": ["DK"]},
        {"everybody": True, "lang": 1},
        {"everybody": True, "Share": 0.1}, {"share": 1.5}, {"share": -0.1}, {"share": "NaN"}, {"share": "inf"},
        {"share": "half"}, {"share": True}, {"share": [0.5]}, {"zones": 7}, {"zones": {"Europe/Copenhagen": True}},
        {"languages": ["da"], "share": 2}, {"everybody": True, "ramp": {"share": 0.1}},
        {"everybody": True, "ramp": {"share": 0.1, "after_min": -1}}, {"everybody": True, "ramp": 0.1},
        {"everybody": True, "ramp": {"share": 0.1, "after_min": 5, "then": 1}},
        {"zones": [f"Etc/{number}" for number in range(MOST_NAMES + 1)]},
    ],
)  # fmt: skip
def test_what_cannot_be_read_sets_the_record_aside(said: Any) -> None:
    """It must not become everybody, and its content stands in no reason."""
    item = read(said)
    assert isinstance(item, DeadLetter)
    assert (item.reason, item.detail.partition(":")[0]) == ("invalid", "audience")
    assert not jsonschema.Draft202012Validator(schema("articles")).is_valid(ARTICLE | {"audience": said})


@pytest.mark.parametrize("raw", [b"NaN", b"Infinity", b"1e999"])
def test_no_number_is_no_share(raw: bytes) -> None:
    """Some serializers write what JSON does not have."""
    value = b'{"article_id":"a","title":"t","published_at_ms":%d,"audience":{"share":%s}}' % (T0, raw)
    (item,) = decode_articles([RawRecord(0, T0, b"a", value)], Origin("articles", 0))
    assert isinstance(item, DeadLetter)


def test_a_withdrawal_needs_no_audience() -> None:
    """Whatever else is wrong with it, the article is taken back."""
    record = ARTICLE | {"status": "withdrawn", "audience": {"no": "value"}}
    (item,) = decode_articles([RawRecord(0, T0, b"a", orjson.dumps(record))], Origin("articles", 0))
    assert isinstance(item, Typed)
    assert (item.value.status, item.value.audience) == ("withdrawn", None)


names = st.one_of(st.lists(st.sampled_from(["DK", "da", "", " x", "x" * 70, 7]), max_size=3), st.just("DK"), st.none())
numbers = st.sampled_from([None, 0, 1, 0.5, 1.5, -1, "0.5", "x", True])
audiences = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "everybody": st.sampled_from([True, False, None, 1]),
            **dict.fromkeys(LISTS, names), "share": numbers,
            "ramp": st.one_of(st.none(), st.fixed_dictionaries({"share": numbers}, optional={"after_min": numbers})),
            "other": st.none(),
        },
    ),
    st.sampled_from([None, True, "everybody", "all", 1, [], ["everybody"]]),
)  # fmt: skip


@given(audiences)
def test_schema_and_decoder_agree(said: Any) -> None:
    """An audience is valid exactly if the decoder takes it with nothing dropped or put right."""
    valid = jsonschema.Draft202012Validator(schema("articles")).is_valid(ARTICLE | {"audience": said})
    item = read(said)
    assert valid == (isinstance(item, Typed) and not item.notes), item


@given(audiences)
def test_nothing_becomes_everybody_that_did_not_say_so(said: Any) -> None:
    """Whatever is read is at most what was said: all readers only where that stands there."""
    item = read(said)
    audience = item.value.audience if isinstance(item, Typed) else None
    if audience is not None and audience == Audience(audience.everybody, share=audience.share, ramp=audience.ramp):
        fields = {"everybody": True} if said == "everybody" else said
        assert fields.get("everybody") is True or fields.get("share") is not None
        assert not any(fields.get(name) is not None for name in LISTS)


def test_an_audience_of_nobody_is_known_for_it() -> None:
    """No reader can fit an empty list, or a share of nothing."""
    assert is_nobody(Audience(share=0.0))
    assert is_nobody(Audience(everybody=True, zones=()))
    assert not is_nobody(Audience(everybody=True))
    assert not is_nobody(Audience(countries=("DK",), share=0.01))


@pytest.mark.parametrize(
    ("zone", "country"),
    [
        ("Europe/Copenhagen", "DK"), ("Europe/Stockholm", "SE"), ("Europe/Berlin", "DE"), ("US/Eastern", "US"),
        ("Asia/Calcutta", "IN"), ("Asia/Saigon", "VN"), ("America/Argentina/Ushuaia", "AR"), ("UTC", ""), ("CET", ""),
        ("EST5EDT", ""), ("Etc/GMT+5", ""), ("Atlantic/Jan_Mayen", ""), ("Iceland", ""), ("Africa/Timbuktu", ""),
        ("nowhere", ""),
    ],
)  # fmt: skip
def test_a_zone_belongs_to_one_country_or_none(zone: str, country: str) -> None:
    """Reykjavik's clocks are those of Abidjan, and Iceland is not in Africa."""
    assert country_of(zone) == country
    assert not country or is_country(country)


def test_an_old_name_is_its_present_one() -> None:
    """Browsers go on saying Calcutta; a name of today stays, whatever its clocks are like."""
    assert present_name("Asia/Calcutta") == present_name("Asia/Kolkata") == "Asia/Kolkata"
    assert present_name("Europe/Copenhagen") == "Europe/Copenhagen"
