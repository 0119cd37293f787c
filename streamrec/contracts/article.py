"""Articles: what a CMS writes to the `articles` topic (key article_id), and what the content agent makes of it.

    {"article_id": "a17", "title": "Quantum chip breaks record", "published_at_ms": 1767225600000}

An update is the same id with a higher `version` (without versions the last one to arrive counts); `withdrawn`, or a
tombstone, takes the article back. `AnalysedArticle` is the internal record on every partition of `catalog`.

Each field stands here once. What stands in `Article` passes from the newsroom to every partition as it is; a field
marked `Column` is a column of the catalog too, where rules read it: `catalog[name][slots]`.
"""

import math
from collections.abc import Callable, Iterable
from typing import Annotated, Any, Literal, NamedTuple, get_type_hints

import msgspec
import numpy as np

from .audience import AsAudience, Audience
from .field_types import (
    Abstract,
    Id,
    Level,
    Link,
    Millis,
    Name,
    NeverDropped,
    OptionalId,
    OptionalMillis,
    Reads,
    ShortText,
    Title,
    Version,
    id_in,
    same,
    says,
    word,
)
from .ids import fixed_category_slot, key_of, source_slot
from .limits import SHORT_TEXT_CHARS, VECTOR_DIMS
from .text import clean_name

MOST_TAGS = 32

Status = Literal["published", "updated", "withdrawn"]
Outcome = Literal[Status, "stale"]  # of the analysis; stale: a newer version was there before


class Column(NamedTuple):
    """How a field becomes a column of the catalog: numpy's dtype, and what makes a value of it."""

    dtype: str
    of: Callable[[Any], Any] = same
    name: str = ""  # the field's own, if empty
    shape: tuple[int, ...] = ()


# What newsrooms call it. Whatever is not public is taken back: a draft that was never out is not there to be pushed.
WITHDRAWING = (
    "withdrawn", "withdraw", "withheld", "killed", "kill", "canceled", "cancelled", "cancel", "deleted", "delete",
    "removed", "retracted", "unpublished", "spiked", "trash", "draft", "private",
)  # fmt: skip
WORDS: dict[str, Status] = {
    "published": "published", "publish": "published", "usable": "published", "live": "published",
    "updated": "updated", "update": "updated", "corrected": "updated",
    **dict.fromkeys(WITHDRAWING, "withdrawn"),
}  # fmt: skip


_numbers = msgspec.Meta(
    min_length=VECTOR_DIMS, max_length=VECTOR_DIMS, extra_json_schema={"contains": {"not": {"const": 0}}}
)


def _status_in(said: Any) -> Any:
    return WORDS.get(said, said) if isinstance(said, str) else said


def _status_of(said: Any) -> Any:
    return _status_in(word(said))


def _direction(numbers: list[float]) -> list[float]:
    if not any(numbers) or not all(map(math.isfinite, numbers)):
        raise ValueError("all numbers are zero, or one is no number")
    return numbers


def _tags(said: Any) -> Any:
    """Those that are texts, cut as preferences cut theirs; one text is a list of one, and a number has its digits."""
    said = [said] if isinstance(said, str) else said
    if not isinstance(said, list):
        return said
    return _spelt(tag for each in said if isinstance(tag := id_in(each), str))[:MOST_TAGS]


def _spelt(tags: Iterable[str]) -> tuple[str, ...]:
    """Each in its one spelling, and once."""
    return tuple(dict.fromkeys(filter(None, map(clean_name, tags))))


def _is_withdrawn(status: Status) -> bool:
    return status == "withdrawn"


def _two_letters(language: str) -> bytes:
    return language.encode()[:2]


def _key_or_none(name: str) -> int:
    return key_of(name) if name else 0


def _is_given(audience: Audience | None) -> bool:
    return audience is not None


def _vector(raw: bytes) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    return np.frombuffer(raw, "<f4") if raw else np.zeros(VECTOR_DIMS, np.float32)


class Article(msgspec.Struct, frozen=True):
    """What passes from the newsroom to the partitions as it is. A new field has a default, for the rows before it."""

    article_id: Annotated[Id, says("which article; also the key of the record"), Column("<u4", key_of, "key")]
    title: Annotated[Title, says("headline, as the push will show it")]
    published_at_ms: Annotated[
        Millis, says("publication, in ms since 1970; at most a year ahead"), Column("<i8", name="published_ms")
    ]
    version: Annotated[
        Version, says("a higher one replaces a lower one; without versions the last to arrive counts")
    ] = 0
    status: Annotated[
        Status,
        says("withdrawn, or a word for it, takes the article back; an unknown word sets the record aside"),
        Reads(_status_in, _status_of),
        NeverDropped(),
        Column("?", _is_withdrawn, "withdrawn"),
    ] = "published"
    source: Annotated[Name, says("publisher or desk"), Column("u1", source_slot)] = ""
    deep_link: Annotated[
        Link, says("what the push opens: a path, or a URL of a scheme the deployment allows (https)")
    ] = ""
    embargo_until_ms: Annotated[
        OptionalMillis,
        says("no push before, in ms since 1970; 0: none. One that cannot be read sets the record aside"),
        NeverDropped(),
        Column("<i8", name="embargo_ms"),
    ] = 0
    breaking: Annotated[Level, says("level of breaking news, 1 to 3; 0: ordinary news"), Column("u1")] = 0
    tags: Annotated[
        tuple[Annotated[str, msgspec.Meta(max_length=SHORT_TEXT_CHARS)], ...],
        msgspec.Meta(max_length=MOST_TAGS),
        says("what it is about, at most 64 characters each; readers follow and mute them, whatever their case"),
        Reads(mended=_tags, cleaned=_spelt),
    ] = ()
    audience: Annotated[
        Audience | None,
        says("whom it is for, whatever interests them; absent: whoever it interests"),
        AsAudience,
        NeverDropped(),
        Column("?", _is_given, "addressed"),
    ] = None

    @property
    def opens_at_ms(self) -> int:
        """When it is out and under no embargo, in ms since 1970."""
        return max(self.published_at_ms, self.embargo_until_ms)


class ArticleEvent(Article, frozen=True, omit_defaults=True):
    """One version of an article, as published."""

    abstract: Annotated[Abstract, says("teaser or first sentences")] = ""
    category: Annotated[Name, says("section of the newsroom; guessed from the text if empty")] = ""
    language: Annotated[ShortText, says("BCP 47; guessed from the text if empty")] = ""
    story_id: Annotated[
        OptionalId, says("several articles of one story lead to one push; found from the title if empty")
    ] = ""
    updated_at_ms: Annotated[OptionalMillis, says("last change, in ms since 1970; 0: none")] = 0
    expires_at_ms: Annotated[
        OptionalMillis, says("no push from then on, in ms since 1970; 0: as long as the deployment says (24 h)")
    ] = 0
    embedding: Annotated[
        Annotated[list[float], _numbers] | None,
        says("64 numbers, not all 0, in the worker's vector space, in place of what its encoder finds"),
        Reads(cleaned=_direction),
    ] = None


class AnalysedArticle(Article, frozen=True, kw_only=True):
    """An article version after analysis; all a partition needs to decide. Written by the content agent only."""

    # lower case, as the category map says; guessed if the article brought none, "" if that is undecided
    category: Annotated[str, Column("<u4", _key_or_none, "category_key")]
    language: Annotated[str, Column("S2", _two_letters)]  # ISO 639-1, "und" when undecided
    keywords: tuple[str, ...]
    story_id: Annotated[str, Column("<u4", key_of, "story")]
    known_at_ms: int  # when this version reached us: the append time, in a replay its event time
    first_known_at_ms: int = 0  # when the first version did; 0: as `known_at_ms`, in records of earlier releases
    expires_at_ms: Annotated[int, Column("<i8", name="expires_ms")]
    # 64 little-endian float32, unit length (zero if the text has no words)
    vector: Annotated[bytes, Column("<f4", _vector, shape=(VECTOR_DIMS,))]
    space_id: str  # encoder name and hash: vectors of two spaces never meet
    digest: int  # CRC-32 of the content: the same digest again is a re-delivery
    category_slot: Annotated[int, Column("u1", name="category")] = -1  # handed out by content/category_slots.py
    audience_slots: tuple[int, ...] = ()  # of the categories its audience names
    widens_at_ms: Annotated[int, Column("<i8", name="widens_ms")] = 0  # when its ramp is over; 0: it has none

    def __post_init__(self) -> None:
        if self.category_slot < 0:  # by a release that handed none out
            msgspec.structs.force_setattr(self, "category_slot", fixed_category_slot(self.category))


def passed_on(article: Article) -> dict[str, Any]:
    """The fields that an article has before and after analysis, by name."""
    return {name: getattr(article, name) for name in Article.__struct_fields__}


def columns_of(record: type[msgspec.Struct]) -> dict[str, Column]:
    """The columns a record declares, by field; each with its name."""
    hints = get_type_hints(record, include_extras=True)
    marks = {field: getattr(hints[field], "__metadata__", ()) for field in record.__struct_fields__}
    return {
        field: mark._replace(name=mark.name or field)
        for field, found in marks.items()
        for mark in found
        if isinstance(mark, Column)
    }
