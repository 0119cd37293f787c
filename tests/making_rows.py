"""Small training rows, models and pushes, shared by the tests of what learns from them."""

from collections.abc import Callable

import numpy as np
import torch
from making import HOUR

from streamrec.arrays import FloatArray
from streamrec.contracts.push import ModelStamp, Push, Reason
from streamrec.engine.predictor import COLUMNS
from streamrec.models.network import Network
from streamrec.training.history import HISTORY
from streamrec.training.rows import Rows
from streamrec.training.teacher import Teacher

SIZES = (COLUMNS, 8, 1)


DRAWN_TOGETHER = 96  # columns; those of later features are drawn apart, so that they change no other


def normal_rows(rng: np.random.Generator, count: int) -> FloatArray:
    """(count, COLUMNS) standard normal; one feature more leaves the others, and what is drawn next, as they were."""
    together = rng.normal(size=(count, DRAWN_TOGETHER))
    apart = rng.spawn(1)[0].normal(size=(count, max(0, COLUMNS - DRAWN_TOGETHER)))
    return np.hstack([together, apart])[:, :COLUMNS].astype(np.float32)


Logit = Callable[[FloatArray, FloatArray], FloatArray]  # of (N, COLUMNS) features and (N,) likeness to what was read


def by_first_feature(x: FloatArray, like: FloatArray) -> FloatArray:
    """Clicked by the first feature, and by whether the article is like what was read."""
    return -(1.5 - 1.5 * x[:, 0] - like)


def impressions(count: int, seed: int, logit: Logit = by_first_feature) -> Rows:
    """Impressions of ten."""
    rng = np.random.default_rng(seed)
    x = normal_rows(rng, count)
    vectors = np.random.default_rng(0).normal(size=(50, 64)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    impression = np.arange(count) // 10
    histories = np.full((int(impression.max()) + 1, HISTORY), -1)
    histories[1:, -5:] = rng.integers(0, 50, (len(histories) - 1, 5))  # the first user has read nothing
    article = rng.integers(0, 50, count)
    like = np.einsum("nd,nd->n", vectors[article], vectors[histories].sum(axis=1)[impression])
    clicked = rng.random(count) < 1 / (1 + np.exp(-logit(x, like)))
    return Rows.of_features(x, clicked, impression)._replace(
        article=article, history=impression, vectors=vectors, histories=histories
    )


TRAINING, HELD_OUT = impressions(600, 1), impressions(300, 2)


def small(seed: int = 1, *, teacher: bool = False) -> Network | Teacher:
    """A fresh model, the same for the same seed."""
    torch.manual_seed(seed)
    return Teacher(width=16, heads=2) if teacher else Network(SIZES)


def push(article_id: str, at_ms: int, user_id: str = "u") -> Push:
    """A push that is dropped six hours later."""
    return Push(
        push_id=f"{user_id}-{article_id}",
        user_id=user_id,
        article_id=article_id,
        article_version=1,
        story_id=article_id,
        title="Title",
        deep_link="",
        category="science",
        priority="normal",
        created_at_ms=at_ms,
        expires_at_ms=at_ms + 6 * HOUR,
        collapse_id=article_id,
        relevance=0.5,
        reason=Reason("recent_reads", {}),
        model=ModelStamp("m", "1", "fp32"),
        trigger="article",
        event_at_ms=at_ms,
    )
