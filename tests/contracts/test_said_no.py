"""A "no" cannot be rejected: opt-outs and withdrawals count, whatever else is wrong in their records."""

import base64
import json
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import DAY, T0

from streamrec.content.encoder import HashedEncoder
from streamrec.content.pipeline import ContentPipeline
from streamrec.contracts.article import WITHDRAWING, AnalysedArticle, ArticleEvent
from streamrec.contracts.decode import Origin, Typed, decode_articles, decode_events
from streamrec.contracts.event import UserEvent
from streamrec.contracts.records import DeadLetter, RawRecord
from streamrec.engine.profiles.zones import is_zone
from streamrec.settings import load

NO = {"user_id": "ann", "action": "unsubscribe", "at_ms": T0 - 5}
WITHDRAWAL = {"article_id": "a1", "status": "withdrawn"}


def opt_out(value: bytes, key: bytes | None = b"ann", reference_ms: int | None = None) -> UserEvent:
    """The one event in this record."""
    (item,) = decode_events([RawRecord(0, T0, key, value)], Origin("events", 0), is_zone, reference_ms)
    assert isinstance(item, Typed), item
    value_of: UserEvent = item.value
    return value_of


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=200),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
others = ["at_ms", "article_id", "tz", "dwell_s", "push_id", "query", "x"]


@given(st.dictionaries(st.sampled_from(others), anything), st.sets(st.sampled_from(["at_ms"])))
def test_an_opt_out_counts_whatever_else_is_wrong(wrong: dict[str, Any], missing: set[str]) -> None:
    """At a time that is not after it was appended."""
    said = {name: value for name, value in (NO | wrong).items() if name not in missing}
    done = opt_out(json.dumps(said).encode())
    assert (done.user_id, done.action) == ("ann", "unsubscribe")
    assert done.at_ms <= T0
    assert done.at_ms == T0 - 5 or "at_ms" in wrong or missing


@pytest.mark.parametrize("action", ["unsubscribed", "opt_out", "opt-out", " OPTOUT "])
def test_an_opt_out_has_other_names(action: str) -> None:
    """What others call it is as certain as what we call it."""
    assert opt_out(orjson.dumps(NO | {"action": action})).action == "unsubscribe"


def test_bytes_that_are_no_utf8_cost_their_field() -> None:
    """An opt-out whose zone is Latin-1 counts; one whose own name is, only by its key."""
    said = orjson.dumps(NO | {"tz": "M#nchen"})
    assert opt_out(said.replace(b"#", b"\xfc")).tz == ""
    value = orjson.dumps(NO | {"user_id": "Andr#"}).replace(b"#", b"\xe9")
    assert opt_out(value, "André".encode()).user_id == "André"
    (letter,) = decode_events([RawRecord(0, T0, None, value)], Origin("events", 0), is_zone)
    assert isinstance(letter, DeadLetter)


@pytest.mark.parametrize(
    ("at_ms", "taken"),
    [(T0 - 30 * DAY, T0 - 30 * DAY), (T0 + 600_000, T0), (T0 + 1, T0), (None, T0), ("noon", T0), (T0 // 1000, T0)],
)
@pytest.mark.parametrize("action", ["subscribe", "unsubscribe"])
def test_the_time_of_consent_is_usable(action: str, at_ms: Any, taken: int) -> None:
    """A yes of a clock that is ahead must not outlive the no that follows it."""
    value = orjson.dumps(NO | {"action": action, "at_ms": at_ms})
    if action == "unsubscribe" or isinstance(at_ms, int):
        assert opt_out(value).at_ms == taken


def test_in_a_replay_the_last_watermark_is_the_time() -> None:
    """There the append time says nothing."""
    assert opt_out(b'{"user_id":"ann","action":"unsubscribe"}', reference_ms=T0 - DAY).at_ms == T0 - DAY


@pytest.mark.parametrize("user", [{}, {"user_id": None}, {"user_id": ""}, {"user_id": ["ann"]}])
@pytest.mark.parametrize("key", [b"ann", b'"ann"', b'{"user_id":"ann"}', b'\0\0\0\0\7"ann"', b"\xef\xbb\xbfann"])
def test_the_key_says_who_where_the_value_does_not(user: dict[str, Any], key: bytes) -> None:
    """Both name the user."""
    assert opt_out(orjson.dumps({"action": "Unsubscribe ", **user}), key).user_id == "ann"


FRAMES = [
    b"%s", b"\xef\xbb\xbf%s", b"\0\0\0\0\7%s", b'{"schema":{"type":"x"},"payload":%s}', b"[%s]",
    b'{"specversion":"1.0","id":"7","source":"/app","type":"no","data":%s}', b'[{"specversion":"1.0","data":[%s]}]',
    b'{"specversion":"1.0","data":{"schema":null,"payload":%s}}',
]  # fmt: skip
WIDE = [
    ("utf-16-le", b"\xff\xfe"), ("utf-16-be", b"\xfe\xff"),
    ("utf-32-le", b"\xff\xfe\0\0"), ("utf-32-be", b"\0\0\xfe\xff"),
]  # fmt: skip


@pytest.mark.parametrize("frame", FRAMES)
def test_a_frame_around_a_value_is_taken_off(frame: bytes) -> None:
    """What serializers put there is no part of what is said."""
    assert opt_out(frame.replace(b"%s", orjson.dumps(NO))) == msgspec.convert(NO, UserEvent)


@pytest.mark.parametrize("frame", [frame for frame in FRAMES if frame.isascii() and frame[:1] > b"\0"])
@pytest.mark.parametrize(("encoding", "mark"), WIDE)
def test_an_opt_out_may_be_in_any_unicode_that_says_which(frame: bytes, encoding: str, mark: bytes) -> None:
    """With a byte order mark it is certain; the key may have one, too."""
    said = frame.replace(b"%s", orjson.dumps(NO | {"user_id": "andr\u00e9"})).decode()
    assert opt_out(mark + said.encode(encoding)).user_id == "andr\u00e9"
    nobody = frame.replace(b"%s", b'{"action":"unsubscribe"}').decode()
    assert opt_out(mark + nobody.encode(encoding), mark + "andr\u00e9".encode(encoding)).user_id == "andr\u00e9"
    half = said.replace('"user_id"', '"x":"\ud800","user_id"').encode(encoding, "surrogatepass")
    assert opt_out(mark + half).user_id == "andr\u00e9"


@pytest.mark.parametrize("frame", [frame for frame in FRAMES if frame != b"%s"])
def test_a_cloud_event_may_carry_bytes(frame: bytes) -> None:
    """In base64, and they may be framed in turn."""
    inner = base64.b64encode(frame.replace(b"%s", orjson.dumps(NO)))
    assert opt_out(b'{"specversion":"1.0","id":"7","data_base64":"%s"}' % inner) == msgspec.convert(NO, UserEvent)


@pytest.mark.parametrize(
    "value",
    [
        b"[]",
        b"[%s,%s]",
        b'{"specversion":"1.0"}',
        b'{"specversion":"1.0","data":"no"}',
        b'{"specversion":"1.0","data_base64":"no"}',
        b'{"specversion":"1.0","data_base64":7}',
    ],
)
def test_what_is_in_no_certain_frame_is_set_aside(value: bytes) -> None:
    """Two events are not one record, and an envelope without anything in it says nothing."""
    (letter,) = decode_events([RawRecord(0, T0, b"ann", value.replace(b"%s", orjson.dumps(NO)))], Origin("events", 0))
    assert isinstance(letter, DeadLetter)
    assert letter.reason == "invalid"


@pytest.mark.parametrize("levels", [50, 99, 100, 101, 990, 1200, 100_000])
@pytest.mark.parametrize("before", [True, False])
def test_an_opt_out_counts_beside_what_is_nested_however_deep(levels: int, before: bool) -> None:
    """Brackets that stand in strings are none."""
    deep = b'"x":' + b'{"a[\\"{":["]",' * levels + b"0" + b"]}" * levels
    no = orjson.dumps(NO)[1:-1]
    value = b"{%s}" % b",".join([deep, no] if before else [no, deep])
    assert opt_out(value) == msgspec.convert(NO, UserEvent)


def test_an_opt_out_may_be_of_any_size() -> None:
    """A record too large for anything else says no all the same."""
    assert opt_out(orjson.dumps(NO | {"x": "x" * 300_000})).user_id == "ann"


@pytest.mark.parametrize("unseen", ["\u200b", "\ufeff", "\0", "\xad"])
def test_a_no_is_one_whatever_cannot_be_seen_in_the_word(unseen: str) -> None:
    """Of readers and of newsrooms."""
    assert opt_out(orjson.dumps(NO | {"action": f"{unseen}Un{unseen}subscribe"})).action == "unsubscribe"
    value = orjson.dumps(WITHDRAWAL | {"status": f"with{unseen}drawn{unseen}"})
    (item,) = decode_articles([RawRecord(0, T0, b"a1", value)], Origin("articles", 0))
    assert isinstance(item, Typed)
    assert item.value.status == "withdrawn"


@pytest.mark.parametrize("field", ["at_ms", "dwell_s", "x"])
def test_a_number_of_thousands_of_digits_costs_its_field(field: str) -> None:
    """Python refuses to read it as an integer."""
    value = orjson.dumps({**NO, field: 0}).replace(b":0", b":" + b"9" * 5000)
    assert opt_out(value).user_id == "ann"


def test_a_decomposed_opt_out_meets_its_user() -> None:
    """One user, however the name is encoded, and whatever cannot be seen in it."""
    for name in ("ann\u00e9", "anne\u0301", " anne\u0301\n", "ann\u200b\u00e9"):
        assert opt_out(orjson.dumps(NO | {"user_id": name})).user_id == "ann\u00e9"


def pipeline() -> ContentPipeline:
    """With version 3 of a1 in its memory."""
    found = ContentPipeline(load({}), HashedEncoder())
    published = {"article_id": "a1", "title": "Quake hits Chile", "published_at_ms": T0, "version": 3}
    found.analyse([RawRecord(0, T0, b"a1", orjson.dumps(published))])
    return found


def withdrawn(value: bytes | None, key: bytes | None = b"a1") -> tuple[str, int]:
    """Id and version of the article this record takes back."""
    done = pipeline().analyse([RawRecord(1, T0, key, value)])
    assert not done.dead_letters
    (article,) = [
        msgspec.json.decode(entry.value or b"", type=AnalysedArticle) for entry in done.catalog if entry.value
    ]
    assert article.status == "withdrawn"
    return article.article_id, article.version


@pytest.mark.parametrize("word", [*WITHDRAWING, "WITHDRAWN", " Killed "])
@pytest.mark.parametrize("more", [{}, {"title": ""}, {"title": None}, {"title": 7}, {"version": 1}])
def test_a_withdrawal_needs_its_id_only(word: str, more: dict[str, Any]) -> None:
    """It takes back what is newest, whichever version it names."""
    assert withdrawn(orjson.dumps({"article_id": "a1", "status": word} | more)) == ("a1", 3)


fields = [name for name in ArticleEvent.__struct_fields__ if name not in WITHDRAWAL]


@given(st.dictionaries(st.sampled_from([*fields, "x"]), anything))
def test_a_withdrawal_counts_whatever_else_is_wrong(wrong: dict[str, Any]) -> None:
    """No field of it stands in its way."""
    value = json.dumps(wrong | WITHDRAWAL).encode()
    (item,) = decode_articles([RawRecord(0, T0, b"a1", value)], Origin("articles", 0))
    assert isinstance(item, Typed), item
    assert (item.value.article_id, item.value.status) == ("a1", "withdrawn")


KEYS = [
    b"a1", b'"a1"', b'{"article_id":"a1"}', b'{"schema":{"type":"string"},"payload":"a1"}', b"\0\0\0\0\7a1",
    b'{"schema":{},"payload":{"article_id":"a1"}}', b'\0\0\0\0\7"a1"', b'\0\0\0\0\7{"article_id":"a1"}',
    b"\xef\xbb\xbfa1", b"Struct{article_id=a1}", b" a1\n",
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("value", [None, b"", b"null", b" null\n", b'{"schema":null,"payload":null}'])
def test_a_tombstone_takes_back_what_its_key_names(key: bytes, value: bytes | None) -> None:
    """In whatever its serializer wrapped it."""
    assert withdrawn(value, key) == ("a1", 3)


@pytest.mark.parametrize("key", KEYS)
def test_the_key_names_the_article_where_the_value_does_not(key: bytes) -> None:
    """A withdrawal without an id has one in its key."""
    assert withdrawn(b'{"status":"killed"}', key) == ("a1", 3)


def test_the_value_names_the_article_where_there_is_no_key() -> None:
    """A producer that sets no key has said enough."""
    assert withdrawn(orjson.dumps(WITHDRAWAL), None) == ("a1", 3)


@pytest.mark.parametrize(
    "key",
    [
        b'{"id":7}',
        b"{",
        b"[1]",
        b"\0\0\0\0\7\x04a1",
        b"\0\0\0\x11",
        b"\xff\xfe",
        b"null",
        b'""',
        b"x" * 200,
        b"\0\0\0\0\0\0\0\x11",
        None,
    ],
)
def test_a_key_of_no_certain_form_is_a_dead_letter(key: bytes | None) -> None:
    """With a reason of its own, which alerts; never counted as withdrawn."""
    done = pipeline().analyse([RawRecord(1, T0, key, None)])
    assert ([letter.reason for letter in done.dead_letters], done.outcomes) == (["unreadable_key"], [])


@pytest.mark.parametrize("article_id", ['"a1"', '{"article_id":"a1"}', "{", "null"])
def test_an_id_may_look_like_a_frame(article_id: str) -> None:
    """Where there is an article of that very name, it is the one."""
    found = pipeline()
    said = {"article_id": article_id, "title": "Fire in Odense", "published_at_ms": T0}
    key = article_id.encode()
    done = found.analyse([RawRecord(1, T0, key, orjson.dumps(said)), RawRecord(2, T0, key, None)])
    taken = [msgspec.json.decode(entry.value or b"", type=AnalysedArticle) for entry in done.catalog if entry.value]
    assert [(article.article_id, article.status) for article in taken] == [
        (article_id, "published"), (article_id, "withdrawn"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        ("https://news.example/a1", True), ("HTTPS://news.example/a1", True), ("myapp://a1", True), ("/a1?x=1:2", True),
        ("javascript:alert(1)", False), ("java\nscript:alert(1)", False), (" javascript:alert(1)", False),
        ("data:text/html,x", False), ("file:///etc/passwd", False), ("http://news.example", False),
        ("//evil.example", False), ("/\\evil.example", False), ("a1", False),
    ],
)  # fmt: skip
def test_links_of_other_schemes_are_dropped(link: str, kept: bool) -> None:
    """The article goes out without."""
    said = {"article_id": "a1", "title": "Quake", "published_at_ms": T0, "deep_link": link}
    done = ContentPipeline(load({}, deep_link_schemes="https,myapp"), HashedEncoder()).analyse(
        [RawRecord(0, T0, b"a1", orjson.dumps(said))]
    )
    (article,) = [
        msgspec.json.decode(entry.value or b"", type=AnalysedArticle) for entry in done.catalog if entry.value
    ]
    assert article.deep_link == (link if kept else "")
    assert [note.field for note in done.notes] == ["deep_link"] * (not kept)
