"""Pushes on the wire."""

import uuid

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from making import DAY, HOUR, T0, article

from streamrec.contracts.push import PUSH_NAMESPACE, Envelope, ModelStamp, Push, PushKind, collapse_id, encoded, push_id

STAMP = ModelStamp("ranker", "1", "int8")
REASON = b'{"code":"breaking","args":{}}'


USERS = st.lists(st.text(min_size=1, max_size=128), max_size=20)


@given(USERS, st.text(max_size=200), st.text(max_size=128), st.integers(0, 3), st.floats(0, 1, width=32))
def test_spliced_bytes_are_pushes(
    user_ids: list[str], title: str, story_id: str, breaking: int, relevance: float
) -> None:
    """Articles' parts encoded once and readers' parts made in bulk decode to the contract, whatever the text."""
    entries = [article(name, title=title, story_id=story_id, breaking=breaking) for name in ("a1", title or "a2")]
    envelopes = [Envelope(entries[at % 2], STAMP, "due", T0, HOUR) for at in range(len(user_ids))]
    times, n = [T0 - at for at in range(len(user_ids))], len(user_ids)
    raw = encoded(envelopes, user_ids, [relevance] * n, [REASON] * n, times)
    pushes = [msgspec.json.decode(value, type=Push) for value in raw]
    assert [(push.user_id, push.title, push.story_id, push.event_at_ms) for push in pushes] == [
        (user_id, title, story_id, at_ms) for user_id, at_ms in zip(user_ids, times, strict=True)
    ]
    for user_id, envelope, push in zip(user_ids, envelopes, pushes, strict=True):
        assert push.priority == ("breaking" if breaking else "normal")
        assert (push.relevance, push.model, push.reason.code) == (round(relevance, 4), STAMP, "breaking")
        assert push.push_id == push_id(user_id, envelope.article.article_id, 1)


def test_expires_with_the_article_at_the_latest() -> None:
    """A push never outlives its article."""
    envelopes = [Envelope(article(expires_at_ms=T0 + ms), STAMP, "article", T0, HOUR) for ms in (1000, DAY)]
    short, long = encoded(envelopes, ["u", "u"], [0.5, 0.5], [REASON, REASON], [T0, T0])
    assert msgspec.json.decode(short, type=Push).expires_at_ms == T0 + 1000
    assert msgspec.json.decode(long, type=Push).expires_at_ms == T0 + HOUR


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
