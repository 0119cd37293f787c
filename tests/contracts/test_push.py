"""Pushes on the wire."""

import uuid

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from making import DAY, HOUR, T0, article

from streamrec.contracts.push import PUSH_NAMESPACE, Envelope, ModelStamp, Push, PushKind, collapse_id, push_id

STAMP = ModelStamp("ranker", "1", "int8")


@given(st.text(min_size=1, max_size=128), st.text(max_size=200), st.text(max_size=128), st.integers(0, 3))
def test_spliced_bytes_are_a_push(user_id: str, title: str, story_id: str, breaking: int) -> None:
    """The article's part encoded once and a user's part beside it decode to the contract, whatever the text."""
    entry = article("a1", title=title, story_id=story_id, breaking=breaking)
    envelope = Envelope(entry, STAMP, "due", T0, HOUR)
    raw = envelope.encode(user_id, 0.12345, {"code": "recent_reads", "args": {"category": "x", "count": 2}}, T0 - 5)
    push = msgspec.json.decode(raw, type=Push)
    assert (push.user_id, push.title, push.story_id) == (user_id, title, story_id)
    assert push.priority == ("breaking" if breaking else "normal")
    assert push.relevance == 0.1235
    assert push.push_id == push_id(user_id, "a1", 1)
    assert push.model == STAMP


def test_expires_with_the_article_at_the_latest() -> None:
    """A push never outlives its article."""
    short = Envelope(article(expires_at_ms=T0 + 1000), STAMP, "article", T0, HOUR).encode("u", 0.5, _reason(), T0)
    long = Envelope(article(expires_at_ms=T0 + DAY), STAMP, "article", T0, HOUR).encode("u", 0.5, _reason(), T0)
    assert msgspec.json.decode(short, type=Push).expires_at_ms == T0 + 1000
    assert msgspec.json.decode(long, type=Push).expires_at_ms == T0 + HOUR


def _reason() -> dict[str, object]:
    return {"code": "breaking", "args": {}}


@given(st.text(max_size=200))
def test_collapse_id_fits_everywhere(story_id: str) -> None:
    """At most 32 URL-safe characters: the tightest of APNs, FCM and Web Push."""
    made = collapse_id(story_id)
    assert len(made) <= 32
    assert all(c.isascii() and (c.isalnum() or c in "-_") for c in made)


@given(st.text(), st.text(), st.integers(0, 2**63 - 1), st.sampled_from(["push", "retract", "correct"]))
def test_a_push_id_is_the_uuid_of_its_name(user_id: str, article_id: str, version: int, kind: PushKind) -> None:
    """As the standard library makes them."""
    name = f"{user_id}\x1f{article_id}\x1f{version}\x1f{kind}"
    assert push_id(user_id, article_id, version, kind) == str(uuid.uuid5(PUSH_NAMESPACE, name))


def test_push_id_is_the_same_for_ever() -> None:
    """The idempotency key must not change between releases."""
    assert push_id("u1", "a1", 1) == "678c3bc3-d7c3-5f6f-9dca-212b2b49a321"
    assert len({push_id("u1", "a1", 1), push_id("u1", "a1", 2), push_id("u2", "a1", 1), push_id("u1", "a2", 1)}) == 4
