"""One article version to all that the partitions need: language, keywords, category, story, vector.

    analyse(article, encoder, stories, ...) -> AnalysedArticle

Pure: `stories` and `categories` are asked and not told; the pipeline tells them when nothing can fail any more. An
`embedding` the article brings replaces the encoder's vector, scaled to unit length. A withdrawal needs no text and no
vector: its is zero. Unless it says otherwise an article may be pushed for `eligible_h` from when it is out: published,
and its embargo over.
"""

import zlib
from collections.abc import Sequence

import msgspec
import numpy as np

from ..arrays import FloatArray
from ..contracts.article import AnalysedArticle, ArticleEvent, passed_on
from ..contracts.limits import LATEST_MS, VECTOR_DIMS
from .audience import resolved, widens_at_ms
from .category import category_of
from .category_slots import Categories
from .encoder import Encoder, Text
from .keywords import keywords_of
from .language import language_of
from .story import RecentStories

HOUR_MS = 3_600_000


def analyse(
    article: ArticleEvent,
    encoder: Encoder,
    stories: RecentStories,
    categories: Categories,
    eligible_h: float,
    known_at_ms: int,
) -> AnalysedArticle:
    """Analyse one article version. Call it in the order of the topic: stories and slots depend on what came before."""
    language = language_of(article.language, f"{article.title} {article.abstract}")
    category = categories.name_of(category_of(article.category, language, article.title, article.abstract))
    vector = _vector(article, category, encoder)
    story_id = stories.story_of(article)
    audience = resolved(article.audience, categories)
    return AnalysedArticle(
        **passed_on(article) | {"audience": audience.audience},
        category=category,
        language=language,
        keywords=keywords_of(article.title, article.abstract),
        story_id=story_id,
        known_at_ms=known_at_ms,
        expires_at_ms=article.expires_at_ms or min(article.opens_at_ms + round(eligible_h * HOUR_MS), LATEST_MS),
        vector=vector.astype("<f4").tobytes(),
        space_id=encoder.space_id,
        digest=digest_of(article),
        category_slot=categories.slots.slot_of(category),
        audience_slots=audience.slots,
        widens_at_ms=widens_at_ms(article, known_at_ms),
    )


def digest_of(article: ArticleEvent) -> int:
    """CRC-32 of all known fields by name: spaces, order, unknown fields and those at their default don't count."""
    return zlib.crc32(msgspec.json.encode(article, order="sorted"))


def _vector(article: ArticleEvent, category: str, encoder: Encoder) -> FloatArray:
    if article.status == "withdrawn":
        return np.zeros(VECTOR_DIMS, np.float32)
    if article.embedding is not None:
        return _unit(article.embedding)
    row: FloatArray = encoder.encode([Text(article.title, article.abstract, category)])[0]
    return row


def _unit(embedding: Sequence[float]) -> FloatArray:
    numbers = np.array(embedding, np.float64)
    scaled = numbers / np.abs(numbers).max()  # first, or the squares of huge numbers overflow
    unit: FloatArray = (scaled / np.linalg.norm(scaled)).astype(np.float32)
    return unit
