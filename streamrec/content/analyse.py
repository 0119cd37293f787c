"""One article version to all that the partitions need: language, keywords, category, story, vector.

    analyse(article, encoder, stories, ...) -> AnalysedArticle, or Reject with a dead-letter reason

Pure: `stories` and `categories` are asked and not told; the desk tells them when nothing can fail any more. An
`embedding` the article brings replaces the encoder's vector: exactly 64 finite numbers, not all zero, scaled to unit
length; else the article is rejected as `bad_embedding`.
A withdrawal is never rejected: it needs no text and no vector (a tombstone's title is empty), its vector is zero.
"""

import math
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from ..contracts.article import AnalysedArticle, ArticleEvent, passed_on
from ..contracts.limits import LATEST_MS, VECTOR_DIMS
from ..contracts.records import RejectReason
from .category import category_of
from .encoder import Encoder, FloatArray, Text
from .keywords import keywords_of
from .language import language_of
from .slots import Categories
from .story import RecentStories

HOUR_MS = 3_600_000


class Reject(NamedTuple):
    """Why an article becomes a dead letter; `detail` names the field, never its content."""

    reason: RejectReason
    detail: str


def analyse(
    article: ArticleEvent,
    encoder: Encoder,
    stories: RecentStories,
    categories: Categories,
    eligible_h: float,
    known_at_ms: int,
) -> AnalysedArticle | Reject:
    """Analyse one article version. Call it in the order of the topic: stories and slots depend on what came before."""
    category = categories.name_of(category_of(article.category, article.title, article.abstract))
    vector = _vector(article, category, encoder)
    if isinstance(vector, Reject):
        return vector
    story_id = stories.story_of(article)
    return AnalysedArticle(
        **passed_on(article),
        category=category,
        language=language_of(article.language, f"{article.title} {article.abstract}"),
        keywords=keywords_of(article.title, article.abstract),
        story_id=story_id,
        known_at_ms=known_at_ms,
        expires_at_ms=article.expires_at_ms or min(article.published_at_ms + round(eligible_h * HOUR_MS), LATEST_MS),
        vector=vector.astype("<f4").tobytes(),
        space_id=encoder.space_id,
        digest=digest_of(article),
        category_slot=categories.slots.slot_of(category),
    )


def digest_of(article: ArticleEvent) -> int:
    """CRC-32 of all known fields by name: spaces, order, unknown fields and those at their default don't count."""
    return zlib.crc32(msgspec.json.encode(article, order="sorted"))


def _vector(article: ArticleEvent, category: str, encoder: Encoder) -> FloatArray | Reject:
    if article.status == "withdrawn":
        return np.zeros(VECTOR_DIMS, np.float32)
    if article.embedding is not None:
        return _unit_embedding(article.embedding)
    row: FloatArray = encoder.encode([Text(article.title, article.abstract, category)])[0]
    return row


def _unit_embedding(embedding: Sequence[float]) -> FloatArray | Reject:
    if len(embedding) != VECTOR_DIMS:
        return Reject("bad_embedding", f"embedding: {len(embedding)} numbers, expected {VECTOR_DIMS}")
    if not all(map(math.isfinite, embedding)):
        return Reject("bad_embedding", "embedding: a number is NaN or infinite")
    largest = max(map(abs, embedding))
    if largest == 0:
        return Reject("bad_embedding", "embedding: all numbers are zero")
    scaled = np.array(embedding, np.float64) / largest  # first, or the squares of huge numbers overflow
    return (scaled / np.linalg.norm(scaled)).astype(np.float32)
