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
from hashlib import sha1
from typing import Annotated, Literal

import msgspec
import orjson

from .article import AnalysedArticle
from .field_types import says

PUSH_NAMESPACE = uuid.UUID("6f1f9d3a-5d0e-5f6e-9d6c-7a1f3f0c1b52")
_NAMESPACE = PUSH_NAMESPACE.bytes
_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}  # its two upper bits are 10

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
    """Idempotency key of a push: the same whoever computes it and whenever (a UUID of RFC 9562, version 5).

    Spelled out here: half of what an article costs a worker went into the standard library's objects.
    """
    return _named(f"{user_id}\x1f{article_id}\x1f{version}\x1f{kind}")


def _named(name: str) -> str:
    x = sha1(_NAMESPACE + name.encode(), usedforsecurity=False).hexdigest()
    return f"{x[:8]}-{x[8:12]}-5{x[13:16]}-{_VARIANT[x[16]]}{x[17:20]}-{x[20:32]}"


def collapse_id(story_id: str) -> str:
    """At most 32 URL-safe characters naming the story: its id if that fits, else a readable head and a checksum."""
    safe = urlsafe_b64encode(story_id.encode()).decode().rstrip("=")
    return safe if len(safe) <= 32 else f"{safe[:23]}-{zlib.crc32(story_id.encode()):08x}"


class Envelope:
    """An article's part of a push, encoded once; `encode` adds a user's part.

    The bytes decode to `Push` (tests/contracts/test_push.py); splicing them is 3 times as fast as encoding it whole.
    """

    def __init__(
        self, article: AnalysedArticle, model: ModelStamp, trigger: Literal[Trigger, "command"], now_ms: int,
        ttl_ms: int, kind: PushKind = "push", command_id: str = "",
    ) -> None:  # fmt: skip
        self.article, self.kind = article, kind
        # two corrections of an article whose newsroom gives no versions are two
        self._version = article.version or (article.digest if kind == "correct" else 0)
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
        self._shared = orjson.dumps(shared)[:-1]

    def encode(self, user_id: str, relevance: float, reason: dict[str, object], event_at_ms: int) -> bytes:
        """JSON of one push: what all pushes of its article share, and what is this reader's own."""
        own = {
            "push_id": push_id(user_id, self.article.article_id, self._version, self.kind),
            "user_id": user_id,
            "relevance": round(relevance, 4),
            "reason": reason,
            "event_at_ms": event_at_ms,
        }
        return self._shared + b"," + orjson.dumps(own)[1:]
