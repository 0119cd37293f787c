"""A ranker or a teacher beside what it has to beat, on impressions later than everything it learned from.

Baselines: random, popularity (recent readers), category share, affinity (the retrieval score), the mean cosine of the
last 30 articles read, and the ranker's own fp32. Intervals are 95 % bootstraps over users; differences are paired.
"""

from collections.abc import Mapping

import numpy as np

from ..arrays import FloatArray
from ..contracts.limits import VECTOR_DIMS
from ..engine.features.features import FEATURES
from ..errors import ArtifactError
from ..models.artifact import Artifact
from ..models.engines import engine_of, int8_name
from ..models.manifest import Interval
from ..models.network import Network, network_of
from .evaluate import difference, quality, summary, users_of
from .model import logits_of
from .rows import Rows
from .teacher import Teacher

Table = dict[str, dict[str, Interval]]
BASELINES = {"popularity": "popularity", "category share": "category_share", "affinity": "affinity"}
FP32, INT8, TEACHER = "ranker fp32", "ranker int8 (served)", "teacher"


def compare(rows: Rows, artifact: Artifact, seed: int) -> Table:
    """AUC, MRR, nDCG@5 and nDCG@10 of each ranking, and of int8 minus fp32 where an int8 engine can run."""
    network = network_of(artifact.manifest.sizes, artifact.weights)
    scores = baselines(rows, seed) | {FP32: engine_of("torch_fp32", network).logits(rows.x)}
    try:
        scores[INT8] = engine_of(int8_name(), network).logits(rows.x)
    except ArtifactError:  # the model is trained and written: its table goes without
        return table_of(rows, scores, {}, seed)
    return table_of(rows, scores, {"int8 - fp32": (INT8, FP32)}, seed)


def compare_teacher(rows: Rows, teacher: Teacher, network: Network, seed: int) -> Table:
    """The same of a teacher, beside a ranker trained on the same rows, and of their difference."""
    scores = {FP32: engine_of("torch_fp32", network).logits(rows.x), TEACHER: logits_of(teacher, rows)}
    return table_of(rows, baselines(rows, seed) | scores, {"teacher - ranker": (TEACHER, FP32)}, seed)


def baselines(rows: Rows, seed: int) -> dict[str, FloatArray]:
    """Scores (N,) of plain baselines that need no training: chance, single features and the mean cosine."""
    names = [function.__name__ for function in FEATURES]
    return {
        "random": np.random.default_rng(seed).random(len(rows.x)).astype(np.float32),
        **{name: rows.x[:, VECTOR_DIMS + names.index(column)] for name, column in BASELINES.items()},
        "mean cosine": mean_cosine(rows),
    }


def mean_cosine(rows: Rows) -> FloatArray:
    """(N,) cosine of the article and the mean of the unit vectors read last; 0 for who read nothing."""
    unit = _unit(np.vstack([rows.vectors, np.zeros_like(rows.vectors[:1])]))  # row -1 is that of an empty place
    users = np.array([unit[history].sum(axis=0) for history in rows.histories])
    return np.asarray(np.einsum("nd,nd->n", _unit(users)[rows.history], unit[rows.article]))


def table_of(
    rows: Rows, scores: Mapping[str, FloatArray], differences: Mapping[str, tuple[str, str]], seed: int
) -> Table:
    """Quality of each (N,) scores, and of the differences between two of them by name."""
    measured = {name: quality(score, rows.clicked, rows.impression) for name, score in scores.items()}
    users = users_of(next(iter(measured.values())), rows.impression, rows.user)
    table = {name: summary(values, seed, users) for name, values in measured.items()}
    return table | {
        name: difference(measured[left], measured[right], seed, users) for name, (left, right) in differences.items()
    }


def _unit(vectors: FloatArray) -> FloatArray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1))
