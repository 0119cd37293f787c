"""Features of candidate pairs: the one function training and serving both call.

    features(pairs, now_ms, half_life_ms) -> (N, 96) float32
    columns 0..63   decayed interest * article vector, elementwise
    columns 64..95  one scalar each, in the order of FEATURES

A new feature is one function below with @feature. The fingerprint is a hash of what these functions say (without
comments and docstrings), so a model trained on other features is refused by itself.
"""

import ast
import hashlib
import inspect
import textwrap
from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt

from ..contracts.limits import VECTOR_DIMS
from ..pairs import Pairs
from ..profiles.interest import FloatArray
from ..profiles.layout import READS
from .inputs import Inputs

DAY_S = 86_400


Feature = Callable[[Inputs], FloatArray]
FEATURES: list[Feature] = []


def feature(function: Feature) -> Feature:
    """Make a function a feature; the order in this file is the order of the columns."""
    FEATURES.append(function)
    return function


def features(pairs: Pairs, now_ms: int, half_life_ms: float) -> FloatArray:
    """The ranker's input, (N, 64 + len(FEATURES)) float32."""
    inputs = Inputs(pairs, now_ms, half_life_ms)
    x = np.empty((len(pairs), VECTOR_DIMS + len(FEATURES)), np.float32)
    x[:, :VECTOR_DIMS] = inputs.product
    for column, function in enumerate(FEATURES, start=VECTOR_DIMS):
        x[:, column] = function(inputs)
    return x


@cache
def fingerprint() -> str:
    """12 hex digits that change when a feature does."""
    text = "\n".join(_meaning(item) for item in (Inputs, *FEATURES))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _f32(values: npt.ArrayLike) -> FloatArray:
    return np.asarray(values, np.float32)


def _meaning(item: object) -> str:
    tree = ast.parse(textwrap.dedent(inspect.getsource(item)))  # type: ignore[arg-type]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


# --- the user and the article -----------------------------------------------------------------------------------------


@feature
def affinity(of: Inputs) -> FloatArray:
    """Decayed reads, by similarity."""
    return of.dot


@feature
def log_affinity(of: Inputs) -> FloatArray:
    """The same, compressed: the tenth similar read says less than the first."""
    return _f32(np.log1p(np.maximum(of.dot, 0)))


@feature
def cosine(of: Inputs) -> FloatArray:
    """Direction alone."""
    return of.dot / (of.norm + 1e-3)


@feature
def interest_length(of: Inputs) -> FloatArray:
    """How much is known of the user."""
    return _f32(np.log1p(of.norm))


@feature
def focus(of: Inputs) -> FloatArray:
    """Length of the interest per read: one for a single subject, small for an all-round reader."""
    return _f32(of.norm / (of.affinity.sum(axis=1) + 0.5))


@feature
def category_reads(of: Inputs) -> FloatArray:
    """Decayed reads in this category."""
    return _f32(np.log1p(of.category))


@feature
def category_share(of: Inputs) -> FloatArray:
    """Share of this category."""
    return of.share


@feature
def favourite(of: Inputs) -> FloatArray:
    """This category against the user's strongest one."""
    return _f32(of.category / (of.affinity.max(axis=1) + 0.1))


@feature
def source_reads(of: Inputs) -> FloatArray:
    """Decayed reads from this source."""
    return _f32(np.log1p(of.source))


@feature
def source_share(of: Inputs) -> FloatArray:
    """Share of this source in the user's reads."""
    return _f32(of.source / (of.affinity.sum(axis=1) + 0.5))


@feature
def cooling_down(of: Inputs) -> FloatArray:
    """The category was disliked lately."""
    negatives = of.pairs.user("negatives")
    same = negatives["category"] == of.pairs.article("category")[:, None]
    return _f32((same & (negatives["until_s"].astype(np.int64) * 1000 > of.now_ms)).any(axis=1))


@feature
def read_before(of: Inputs) -> FloatArray:
    """The article is among the recent reads."""
    return _f32((of.pairs.user("reads") == of.pairs.article("key")[:, None]).any(axis=1))


@feature
def same_language(of: Inputs) -> FloatArray:
    """The article is in the language of the user's last read."""
    return _f32(of.pairs.user("language") == of.pairs.article("language"))


# --- the article ------------------------------------------------------------------------------------------------------


@feature
def age(of: Inputs) -> FloatArray:
    """Hours since publication, compressed."""
    return _f32(np.log1p(of.age_h))


@feature
def fresh_2h(of: Inputs) -> FloatArray:
    """Freshness on the scale of hours."""
    return _f32(np.exp(-of.age_h / 2))


@feature
def fresh_24h(of: Inputs) -> FloatArray:
    """Freshness on the scale of a day."""
    return _f32(np.exp(-of.age_h / 24))


@feature
def popularity(of: Inputs) -> FloatArray:
    """Recent readers."""
    return _f32(np.log1p(of.readers))


@feature
def reach(of: Inputs) -> FloatArray:
    """Recent readers per thousand users, compressed."""
    return _f32(np.log1p(1000 * of.reach))


@feature
def reach_per_hour(of: Inputs) -> FloatArray:
    """How fast it spreads."""
    return _f32(np.log1p(1000 * of.reach / (of.age_h + 1)))


@feature
def unread(of: Inputs) -> FloatArray:
    """Nobody of the partition has read it."""
    return _f32(of.readers <= 0)


@feature
def breaking(of: Inputs) -> FloatArray:
    """Breaking level, 0..1."""
    return _f32(of.pairs.article("breaking") / 3)


# --- the user ---------------------------------------------------------------------------------------------------------


@feature
def reads(of: Inputs) -> FloatArray:
    """Reads in all."""
    return _f32(np.log1p(of.pairs.user("n_reads").astype(np.float32)))


@feature
def newcomer(of: Inputs) -> FloatArray:
    """Fewer than three reads."""
    return _f32(of.pairs.user("n_reads") < 3)


@feature
def ring_filled(of: Inputs) -> FloatArray:
    """Share of the ring of recent reads in use."""
    return _f32(np.minimum(of.pairs.user("n_reads"), READS) / READS)


@feature
def idle(of: Inputs) -> FloatArray:
    """Hours since the last activity, compressed."""
    return _f32(np.log1p(of.since_h(of.pairs.user("last_active_s"))))


@feature
def age_of_interest(of: Inputs) -> FloatArray:
    """What is left of the interest since the last read."""
    return of.worth


@feature
def pushes_today(of: Inputs) -> FloatArray:
    """Pushes of the last 24 hours."""
    at_s = of.pairs.user("pushed")["at_s"].astype(np.int64)
    return _f32((at_s > of.now_ms // 1000 - DAY_S).sum(axis=1))


@feature
def since_push(of: Inputs) -> FloatArray:
    """Hours since the last push, compressed."""
    return _f32(np.log1p(of.since_h(of.pairs.user("pushed")["at_s"].max(axis=1))))


# --- both, multiplied: a small network need not find these by itself --------------------------------------------------


@feature
def fresh_affinity(of: Inputs) -> FloatArray:
    """Affinity to something new."""
    return _f32(np.log1p(np.maximum(of.dot, 0)) * np.exp(-of.age_h / 24))


@feature
def fresh_share(of: Inputs) -> FloatArray:
    """Category share, by freshness."""
    return _f32(of.share * np.exp(-of.age_h / 24))


@feature
def popular_affinity(of: Inputs) -> FloatArray:
    """Affinity to what others read."""
    return _f32(np.log1p(np.maximum(of.dot, 0)) * np.log1p(1000 * of.reach))


@feature
def popular_share(of: Inputs) -> FloatArray:
    """Category share of what others read."""
    return _f32(of.share * np.log1p(1000 * of.reach))
