"""Pushes: what a gateway reads from `push` (key user_id) with isolation.level=read_committed.

A record of kind `retract` takes a push back that was delivered, one of kind `correct` replaces it by the article's
newest version; both bear its `collapse_id`, and go to readers who got the push, each once.

`push_id` is UUIDv5(user, article, version, kind): the idempotency key, the same after any crash. `expires_at_ms` is
absolute: a gateway drops the push when it is past. `collapse_id` is the story, at most 32 URL-safe characters (the
tightest of APNs, FCM and Web Push). Device tokens belong to the gateway and never appear here.
"""

import uuid
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha1
from typing import Annotated, Literal

import msgspec
import numpy as np
import orjson

from .article import AnalysedArticle
from .field_types import says

PUSH_NAMESPACE = uuid.UUID("6f1f9d3a-5d0e-5f6e-9d6c-7a1f3f0c1b52")
_NAMESPACE = PUSH_NAMESPACE.bytes
_HEX = np.frombuffer(bytes(range(256)).hex().encode(), np.uint16)  # byte -> its two digits

Trigger = Literal["article", "due"]
PushKind = Literal["push", "retract", "correct"]
ReasonCode = Literal[
    "breaking",  # category
    "searched",  # words, as they stand in the article; category
    "recent_reads",  # count, category
    "audience",  # category
    "similar_interest",  # category
    "command",  # category; of kinds retract and correct
]


class Reason(msgspec.Struct, frozen=True):
    """Why this article for this user: a code for the app to translate, and what to fill in."""

    code: Annotated[ReasonCode, says("why this article, for the app to translate")]
    args: Annotated[
        dict[str, str | int],
        says("what to fill in: `category`, with `count` of recent reads in it, or `words` that were searched for"),
    ]


class ModelStamp(msgspec.Struct, frozen=True):
    """Which model predicted the click, and with which precision it ran."""

    name: Annotated[str, says("the model that scored")]
    version: Annotated[str, says("its version, 12 hex digits")]
    engine: Annotated[Literal["int8", "fp32"], says("the precision it ran in")]


class Push(msgspec.Struct, frozen=True):
    """One push as a gateway reads it from `push`: what to show to whom, until when, and why."""

    push_id: Annotated[
        str, says("idempotency key: a UUIDv5 of user, article, version and kind, the same after a crash")
    ]
    user_id: Annotated[str, says("who; also the key of the record")]
    article_id: Annotated[str, says("which article")]
    article_version: Annotated[int, says("the version that was current")]
    story_id: Annotated[str, says("several articles of one story lead to one push")]
    title: Annotated[str, says("the headline to show")]
    deep_link: Annotated[str, says("what a tap opens; empty: the article brought no link that is allowed")]
    category: Annotated[str, says("section, in lower case; empty: undecided")]
    priority: Annotated[Literal["normal", "breaking"], says("breaking: of an article that is marked so")]
    created_at_ms: Annotated[int, says("when it was decided, in ms since 1970")]
    expires_at_ms: Annotated[int, says("a gateway drops the push from then on, in ms since 1970")]
    collapse_id: Annotated[
        str, says("names the story in at most 32 URL-safe characters: a later push replaces this one")
    ]
    relevance: Annotated[float, says("calibrated P(click), 0 to 1")]
    reason: Reason
    model: ModelStamp
    trigger: Annotated[
        Literal[Trigger, "command"],
        says("article: it met its readers; due: the reader's waiting was over; command: of an editor"),
    ]
    event_at_ms: Annotated[
        int,
        says("when its cause came: the article was known and out, or the waiting was over; in ms since 1970"),
    ]
    kind: Annotated[
        PushKind,
        says("push: show it; retract: take back what was shown of this article; correct: replace that by this"),
    ] = "push"
    command_id: Annotated[str, says("of retract and correct: the command that asked for it")] = ""


NO_MODEL = ModelStamp("none", "", "fp32")  # of what a command sends: nothing was scored


def push_id(user_id: str, article_id: str, version: int, kind: PushKind = "push") -> str:
    """Idempotency key of a push: the same whoever computes it and whenever (a UUID of RFC 9562, version 5)."""
    return _push_ids([f"{user_id}\x1f{article_id}\x1f{version}\x1f{kind}".encode()])[0].decode()


def _push_ids(names: Iterable[bytes]) -> list[bytes]:
    """Spelled out here and in bulk: half of what an article costs a worker went into the standard library's objects."""
    raw = np.frombuffer(b"".join([sha1(_NAMESPACE + name, usedforsecurity=False).digest() for name in names]), np.uint8)
    raw = raw.reshape(-1, 20)[:, :16].copy()
    raw[:, 6] = raw[:, 6] & 0x0F | 0x50  # version 5
    raw[:, 8] = raw[:, 8] & 0x3F | 0x80  # and variant of RFC 9562
    digits = _HEX[raw].view(np.uint8)  # (N, 32)
    text = np.full((len(raw), 36), ord("-"), np.uint8)
    for start, stop, shift in ((0, 8, 0), (8, 12, 1), (12, 16, 2), (16, 20, 3), (20, 32, 4)):
        text[:, start + shift : stop + shift] = digits[:, start:stop]
    found: list[bytes] = text.view("S36")[:, 0].tolist()
    return found


def collapse_id(story_id: str) -> str:
    """At most 32 URL-safe characters naming the story: its id if that fits, else a readable head and a checksum."""
    safe = urlsafe_b64encode(story_id.encode()).decode().rstrip("=")
    return safe if len(safe) <= 32 else f"{safe[:23]}-{zlib.crc32(story_id.encode()):08x}"


class Envelope:
    """An article's part of a push, encoded once; `encoded` adds users' parts, in bulk.

    The bytes decode to `Push` (tests/contracts/test_push.py).
    """

    def __init__(
        self, article: AnalysedArticle, model: ModelStamp, trigger: Literal[Trigger, "command"], now_ms: int,
        ttl_ms: int, kind: PushKind = "push", command_id: str = "",
    ) -> None:  # fmt: skip
        self.article = article
        # two corrections of an article whose newsroom gives no versions are two
        version = article.version or (article.digest if kind == "correct" else 0)
        self.named = f"\x1f{article.article_id}\x1f{version}\x1f{kind}".encode()
        shared = {
            "article_id": article.article_id,
            "article_version": article.version,
            "story_id": article.story_id,
            "title": article.title,
            "deep_link": article.deep_link,
            "category": article.category,
            "priority": "breaking" if article.breaking else "normal",
            "created_at_ms": now_ms,
            "expires_at_ms": now_ms + ttl_ms if kind == "retract" else min(now_ms + ttl_ms, article.expires_at_ms),
            "collapse_id": collapse_id(article.story_id),
            "model": msgspec.to_builtins(model),
            "trigger": trigger,
        }
        if kind != "push":
            shared |= {"kind": kind, "command_id": command_id}
        self.shared = orjson.dumps(shared)[:-1]


def encoded(
    envelopes: Sequence[Envelope],
    user_ids: Sequence[str],
    relevance: Sequence[float],
    reasons: Sequence[bytes],
    event_at_ms: Sequence[int],
) -> list[bytes]:
    """JSON of N pushes: what all pushes of an article share, and what is each reader's own; `reasons` are JSON."""
    if not user_ids:
        return []
    names = [user_id.encode() for user_id in user_ids]
    ids = _push_ids([name + envelope.named for name, envelope in zip(names, envelopes, strict=True)])
    rounded = orjson.dumps([round(score, 4) for score in relevance])[1:-1].split(b",")
    times = orjson.dumps(event_at_ms)[1:-1].split(b",")
    return [
        b'%b,"push_id":"%b","user_id":%b,"relevance":%b,"reason":%b,"event_at_ms":%b}' % own
        for own in zip(
            [envelope.shared for envelope in envelopes], ids, map(orjson.dumps, user_ids), rounded, reasons, times,
            strict=True,
        )
    ]  # fmt: skip
