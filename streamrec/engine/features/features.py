"""Features of candidate pairs: the one function training and serving both call.

    features(pairs, now_ms, half_life_ms) -> (N, 64 + len(FEATURES)) float32
    columns 0..63   decayed interest * article vector, elementwise
    columns 64..    one scalar each, in the order of FEATURES

A new feature is one function below with @feature(group): widths, groups and names follow. A model trained on other
features is refused by itself (fingerprint.py).
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ...arrays import FloatArray
from ...contracts.limits import VECTOR_DIMS
from ..pairs import Pairs
from ..profiles.history import has_read
from .inputs import Inputs

DAY_S = 86_400

Feature = Callable[[Inputs], FloatArray]
FEATURES: list[Feature] = []
GROUPS: dict[str, list[Feature]] = {}  # features that say related things


def feature(group: str) -> Callable[[Feature], Feature]:
    """Make a function a feature; the order in this file is the order of the columns."""

    def add(function: Feature) -> Feature:
        FEATURES.append(function)
        GROUPS.setdefault(group, []).append(function)
        return function

    return add


def features(pairs: Pairs, now_ms: int, half_life_ms: float) -> FloatArray:
    """The ranker's input, (N, 64 + len(FEATURES)) float32."""
    inputs = Inputs(pairs, now_ms, half_life_ms)
    x = np.empty((len(pairs), VECTOR_DIMS + len(FEATURES)), np.float32)
    x[:, :VECTOR_DIMS] = inputs.product
    for column, function in enumerate(FEATURES, start=VECTOR_DIMS):
        x[:, column] = function(inputs)
    return x


def _f32(values: npt.ArrayLike) -> FloatArray:
    return np.asarray(values, np.float32)


# --- the user and the article -----------------------------------------------------------------------------------------


@feature("interest in the content")
def affinity(of: Inputs) -> FloatArray:
    """Dot product of interest and article vector: decayed reads, by similarity."""
    return of.dot


@feature("interest in the content")
def log_affinity(of: Inputs) -> FloatArray:
    """Log of the dot product of interest and article vector: the tenth similar read says less than the first."""
    return _f32(np.log1p(np.maximum(of.dot, 0)))


@feature("interest in the content")
def cosine(of: Inputs) -> FloatArray:
    """Cosine of interest and article vector: how alike they are, however much was read."""
    return of.dot / (of.norm + 1e-3)


@feature("interest in the content")
def interest_length(of: Inputs) -> FloatArray:
    """Log of the length of the interest vector: how much is known of the reader."""
    return _f32(np.log1p(of.norm))


@feature("interest in the content")
def focus(of: Inputs) -> FloatArray:
    """Length of the interest per read: one for a single subject, small for an all-round reader."""
    return _f32(of.norm / (of.affinity.sum(axis=1) + 0.5))


@feature("taste for the category")
def category_reads(of: Inputs) -> FloatArray:
    """Log of the reader's decayed reads in the article's category."""
    return _f32(np.log1p(of.category))


@feature("taste for the category")
def category_share(of: Inputs) -> FloatArray:
    """Share of the article's category in the reader's decayed reads, 0..1."""
    return of.share


@feature("taste for the category")
def favourite(of: Inputs) -> FloatArray:
    """The reader's decayed reads in the article's category against those in their strongest one, 0..1."""
    return _f32(of.category / (of.affinity.max(axis=1) + 0.1))


@feature("source")
def source_reads(of: Inputs) -> FloatArray:
    """Log of the reader's decayed reads from the article's source."""
    return _f32(np.log1p(of.source))


@feature("source")
def source_share(of: Inputs) -> FloatArray:
    """Share of the article's source in the reader's decayed reads, 0..1."""
    return _f32(of.source / (of.affinity.sum(axis=1) + 0.5))


@feature("taste for the category")
def cooling_down(of: Inputs) -> FloatArray:
    """1 while a dislike of the article's category still counts, else 0."""
    negatives = of.pairs.user("negatives")
    same = negatives["category"] == of.pairs.article("category")[:, None]
    return _f32((same & (negatives["until_s"].astype(np.int64) * 1000 > of.now_ms)).any(axis=1))


@feature("already read, language")
def read_before(of: Inputs) -> FloatArray:
    """1 if the article is among the reader's recent reads, else 0."""
    return _f32(has_read(of.pairs.users.store, of.pairs.users.indices(), of.pairs.article("key")))


@feature("already read, language")
def same_language(of: Inputs) -> FloatArray:
    """1 if the article is in the language of the user's last read, else 0."""
    return _f32(of.pairs.user("language") == of.pairs.article("language"))


# --- the article ------------------------------------------------------------------------------------------------------


@feature("freshness")
def age(of: Inputs) -> FloatArray:
    """Log of the hours since publication."""
    return _f32(np.log1p(of.age_h))


@feature("freshness")
def fresh_2h(of: Inputs) -> FloatArray:
    """exp(-age / 2 h): freshness on the scale of hours."""
    return _f32(np.exp(-of.age_h / 2))


@feature("freshness")
def fresh_24h(of: Inputs) -> FloatArray:
    """exp(-age / 24 h): freshness on the scale of a day."""
    return _f32(np.exp(-of.age_h / 24))


@feature("popularity")
def popularity(of: Inputs) -> FloatArray:
    """Log of how many readers the article had recently in this partition."""
    return _f32(np.log1p(of.readers))


@feature("popularity")
def reach(of: Inputs) -> FloatArray:
    """Log of recent readers per thousand users of the partition."""
    return _f32(np.log1p(1000 * of.reach))


@feature("popularity")
def reach_per_hour(of: Inputs) -> FloatArray:
    """Log of recent readers per thousand users and hour of age: how fast the article spreads."""
    return _f32(np.log1p(1000 * of.reach / (of.age_h + 1)))


@feature("popularity")
def unread(of: Inputs) -> FloatArray:
    """1 if nobody of the partition has read the article recently, else 0."""
    return _f32(of.readers <= 0)


@feature("freshness")
def breaking(of: Inputs) -> FloatArray:
    """Breaking level of the article, from 0 to 1 in thirds."""
    return _f32(of.pairs.article("breaking") / 3)


# --- the user ---------------------------------------------------------------------------------------------------------


@feature("the user's activity")
def reads(of: Inputs) -> FloatArray:
    """Log of how many articles the reader has read in all."""
    return _f32(np.log1p(of.pairs.user("n_reads").astype(np.float32)))


@feature("the user's activity")
def newcomer(of: Inputs) -> FloatArray:
    """1 for a reader of fewer than three articles, else 0."""
    return _f32(of.pairs.user("n_reads") < 3)


@feature("the user's activity")
def ring_filled(of: Inputs) -> FloatArray:
    """Reads in all, as a share of the sixteen after which more say little."""
    return _f32(np.minimum(of.pairs.user("n_reads"), 16) / 16)


@feature("the user's activity")
def idle(of: Inputs) -> FloatArray:
    """Log of the hours since the reader was last active."""
    return _f32(np.log1p(of.since_h(of.pairs.user("last_active_s"))))


@feature("the user's activity")
def age_of_interest(of: Inputs) -> FloatArray:
    """What is left of the interest since the last read, by its half-life: 1 just after it, 0.5 a half-life later."""
    return of.worth


@feature("the user's activity")
def pushes_today(of: Inputs) -> FloatArray:
    """How many pushes the reader got in the last 24 hours."""
    at_s = of.pairs.user("pushed_at_s").astype(np.int64)
    return _f32((at_s > of.now_ms // 1000 - DAY_S).sum(axis=1))


@feature("the user's activity")
def since_push(of: Inputs) -> FloatArray:
    """Log of the hours since the last push to the reader."""
    return _f32(np.log1p(of.since_h(of.pairs.user("pushed_at_s").max(axis=1))))


# --- both, multiplied: a small network need not find these by itself --------------------------------------------------


@feature("freshness x taste")
def fresh_affinity(of: Inputs) -> FloatArray:
    """Affinity by freshness: log of the dot product times exp(-age / 24 h)."""
    return _f32(np.log1p(np.maximum(of.dot, 0)) * np.exp(-of.age_h / 24))


@feature("freshness x taste")
def fresh_share(of: Inputs) -> FloatArray:
    """Share of the article's category times exp(-age / 24 h)."""
    return _f32(of.share * np.exp(-of.age_h / 24))


@feature("freshness x taste")
def popular_affinity(of: Inputs) -> FloatArray:
    """Affinity by reach: log of the dot product times log of recent readers per thousand users."""
    return _f32(np.log1p(np.maximum(of.dot, 0)) * np.log1p(1000 * of.reach))


@feature("freshness x taste")
def popular_share(of: Inputs) -> FloatArray:
    """Share of the article's category times log of recent readers per thousand users."""
    return _f32(of.share * np.log1p(1000 * of.reach))
