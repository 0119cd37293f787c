"""Articles: what a CMS writes to the `articles` topic (key article_id), and what the content agent makes of it.

    {"article_id": "a17", "title": "Quantum chip breaks record", "published_at_ms": 1767225600000}

An update is the same id with a higher `version` (without versions the last one to arrive counts); `withdrawn`, or a
tombstone, takes the article back. `AnalysedArticle` is the internal record on every partition of `catalog`.

Each field stands here once. What stands in `Article` passes from the newsroom to every partition as it is; a field
marked `Column` is a column of the catalog too, where rules read it: `catalog[name][slots]`.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple, get_type_hints

import msgspec
import numpy as np

from .ids import fixed_category_slot, key_of, source_slot
from .limits import VECTOR_DIMS, Id, Millis, OptionalMillis, ShortText

Status = Literal["published", "updated", "withdrawn"]
Outcome = Status | Literal["stale"]  # of the analysis; stale: a newer version was there before


def _as_it_is(value: Any) -> Any:
    return value


class Column(NamedTuple):
    """How a field becomes a column of the catalog: numpy's dtype, and what makes a value of it."""

    dtype: str
    of: Callable[[Any], Any] = _as_it_is
    name: str = ""  # the field's own, if empty
    shape: tuple[int, ...] = ()


def _is_withdrawn(status: Status) -> bool:
    return status == "withdrawn"


def _two_letters(language: str) -> bytes:
    return language.encode()[:2]


def _key_or_none(name: str) -> int:
    return key_of(name) if name else 0


def _vector(raw: bytes) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    return np.frombuffer(raw, "<f4") if raw else np.zeros(VECTOR_DIMS, np.float32)


class Article(msgspec.Struct, frozen=True):
    """What passes from the newsroom to the partitions as it is. A new field has a default, for the rows before it."""

    article_id: Annotated[Id, Column("<u4", key_of, "key")]
    title: Annotated[str, msgspec.Meta(max_length=500, extra_json_schema={"minLength": 1})]
    published_at_ms: Annotated[Millis, Column("<i8", name="published_ms")]
    version: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 0
    status: Annotated[Status, Column("?", _is_withdrawn, "withdrawn")] = "published"
    source: Annotated[ShortText, Column("u1", source_slot)] = ""  # publisher or desk
    deep_link: Annotated[str, msgspec.Meta(max_length=2_000)] = ""
    embargo_until_ms: Annotated[OptionalMillis, Column("<i8", name="embargo_ms")] = 0
    breaking: Annotated[int, msgspec.Meta(ge=0, le=3), Column("u1")] = 0  # 0 = ordinary news


class ArticleEvent(Article, frozen=True, omit_defaults=True):
    """One version of an article, as published."""

    abstract: Annotated[str, msgspec.Meta(max_length=5_000)] = ""
    category: ShortText = ""
    language: ShortText = ""  # BCP 47; guessed from the text if empty
    story_id: Annotated[str, msgspec.Meta(max_length=128)] = ""  # several articles, one story, one push
    updated_at_ms: OptionalMillis = 0
    expires_at_ms: OptionalMillis = 0
    embedding: Annotated[list[float], msgspec.Meta(max_length=4_096)] | None = None  # 64 numbers in the worker's space


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
    category_slot: Annotated[int, Column("u1", name="category")] = -1  # handed out by content/slots.py

    def __post_init__(self) -> None:
        if self.category_slot < 0:  # by a release that handed none out
            msgspec.structs.force_setattr(self, "category_slot", fixed_category_slot(self.category))


def passed_on(article: Article) -> dict[str, Any]:
    """What is the same before and after analysis, by name."""
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
