"""Articles: what a CMS writes to the `articles` topic (key article_id), and what the content agent makes of it.

    {"article_id": "a17", "title": "Quantum chip breaks record", "published_at_ms": 1767225600000}

An update is the same id with a higher `version` (without versions the last one to arrive counts); `withdrawn`, or a
tombstone, takes the article back. `AnalysedArticle` is the internal record on every partition of `catalog`.
"""

from typing import Annotated, Literal

import msgspec

from .limits import Id, Millis, OptionalMillis, ShortText

Status = Literal["published", "updated", "withdrawn"]
Outcome = Status | Literal["stale"]  # of the analysis; stale: a newer version was there before
Title = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class ArticleEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One version of an article, as published."""

    article_id: Id
    title: Title
    published_at_ms: Millis
    version: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 0
    status: Status = "published"
    abstract: Annotated[str, msgspec.Meta(max_length=5_000)] = ""
    category: ShortText = ""
    source: ShortText = ""  # publisher or desk
    language: ShortText = ""  # BCP 47; guessed from the text if empty
    story_id: Annotated[str, msgspec.Meta(max_length=128)] = ""  # several articles, one story, one push
    deep_link: Annotated[str, msgspec.Meta(max_length=2_000)] = ""
    updated_at_ms: OptionalMillis = 0
    expires_at_ms: OptionalMillis = 0
    embargo_until_ms: OptionalMillis = 0
    breaking: Annotated[int, msgspec.Meta(ge=0, le=3)] = 0  # 0 = ordinary news
    embedding: Annotated[list[float], msgspec.Meta(max_length=4_096)] | None = None  # 64 numbers in the worker's space


class AnalysedArticle(msgspec.Struct, frozen=True):
    """An article version after analysis; all a partition needs to decide. Written by the content agent only."""

    article_id: str
    version: int
    status: Status
    title: str
    category: str  # normalised: lower case, guessed if the article brought none
    source: str
    language: str  # ISO 639-1, "und" when undecided
    keywords: tuple[str, ...]
    story_id: str
    deep_link: str
    published_at_ms: int
    known_at_ms: int  # when this version reached us: the append time, in a replay its event time
    expires_at_ms: int
    embargo_until_ms: int
    breaking: int
    vector: bytes  # 64 little-endian float32, unit length (zero if the text has no words)
    space_id: str  # encoder name and hash: vectors of two spaces never meet
    digest: int  # CRC-32 of the content: the same digest again is a re-delivery
