"""Arithmetic on scores for the comparison page: agreement, calibration curves, quality by slice, feature importance.

Slices are parts of the test window on which a compressed model may lose more than on the whole:

    new article    nobody had read the clicked article when it was shown
    new user       no impression of the user is in the training window
    language       of the clicked article, by its two letters

An impression belongs to an article's slice if any of its clicked articles does; it is judged with all its candidates.
Slices with fewer than LEAST impressions are left out: their intervals would fill the page.

Importance is what ranking loses if a group of features belongs to somebody else:

    importance(group) = (AUC - AUC with the group's columns taken from random other rows) / (AUC - 1/2)

Permutation importance by group (Breiman, 2001; Fisher et al., 2019), so features that say the same thing go together.
It asks the model from outside: a teacher and a pruned student are asked the same question. With the interest goes the
history it was made of, and with it the teacher's user vector. 1 = all that was above chance is gone.
"""

from collections.abc import Callable, Mapping

import numpy as np

from ...arrays import BoolArray, FloatArray
from ...contracts.limits import VECTOR_DIMS
from ...engine.features.features import GROUPS
from ...engine.predictor import COLUMN_NAMES
from ...models.calibration import Calibration
from ...training.evaluate import quality, summary, users_of
from ...training.rows import Rows, language_name
from .outcome import Agreement, Bin, Metrics
from .splits import usable_impressions

BINS = 10
TOP = 0.01
SAMPLE_IMPRESSIONS = 600  # of importance: a teacher scores all of them once a group
CONTENT = "interest in the content"
LEAST = 50
UNREAD = COLUMN_NAMES.index("unread")


def agreement(engine: str, int8: FloatArray, fp32: FloatArray) -> Agreement:
    """Largest difference of (N,) logits, and how much of fp32's top 1 % int8 finds."""
    count = max(1, round(TOP * len(fp32)))
    top = [set(np.argsort(-scores, kind="stable")[:count].tolist()) for scores in (int8, fp32)]
    return Agreement(engine, float(np.abs(int8 - fp32).max()), len(top[0] & top[1]) / count)


def calibration_curve(logits: FloatArray, test: Rows, calibration: Calibration) -> list[Bin]:
    """Predicted against observed share of clicks in tenths of the test rows, by predicted probability."""
    p = calibration.probability(logits)
    parts = np.array_split(np.argsort(p, kind="stable"), BINS)
    return [Bin(float(p[part].mean()), float(test.clicked[part].mean()), len(part)) for part in parts if len(part)]


def metrics(scores: FloatArray, rows: Rows, seed: int) -> Metrics:
    """AUC, MRR, nDCG@5 and nDCG@10 with intervals over users."""
    measured = quality(scores, rows.clicked, rows.impression)
    return summary(measured, seed, users_of(measured, rows.impression, rows.user))


def by_slice(scores: FloatArray, rows: Rows, masks: Mapping[str, BoolArray], seed: int) -> dict[str, Metrics]:
    """The metrics of scores on each slice of the rows, by its name."""
    return {name: metrics(scores[mask], rows.take(mask), seed) for name, mask in masks.items()}


def slices(test: Rows, train: Rows) -> dict[str, BoolArray]:
    """(N,) masks of whole impressions, by the slice's name."""
    found = {
        "new article": _with_clicked(test, test.x[:, UNREAD] > 0),
        "read article": ~_with_clicked(test, test.x[:, UNREAD] > 0),
        "new user": ~np.isin(test.user, train.user),
        "known user": np.isin(test.user, train.user),
    }
    languages = np.unique(test.language)
    if len(languages) > 1:
        found |= {
            f"language {language_name(int(code))}": _with_clicked(test, test.language == code) for code in languages
        }
    return {name: mask for name, mask in found.items() if usable_impressions(test.take(mask)) >= LEAST}


def _with_clicked(rows: Rows, which: BoolArray) -> BoolArray:
    """(N,) True for all rows of an impression with a clicked row in `which`."""
    return np.isin(rows.impression, rows.impression[rows.clicked & which])


def group_columns(group: str) -> list[int]:
    """Numbers of a group's feature columns; those of the vector go with interest in the content."""
    own = [COLUMN_NAMES.index(function.__name__) for function in GROUPS[group]]
    return [*range(VECTOR_DIMS), *own] if group == CONTENT else own


def importance(logits: Callable[[Rows], FloatArray], rows: Rows, seed: int) -> dict[str, float]:
    """By group, over the latest SAMPLE_IMPRESSIONS impressions of the rows."""
    number = np.unique(rows.impression)
    rows = rows.take(np.isin(rows.impression, number[-SAMPLE_IMPRESSIONS:]))
    whole = _auc(logits(rows), rows)
    above_chance = max(whole - 0.5, 1e-3)
    return {group: (whole - _auc(logits(_permuted(rows, group, seed)), rows)) / above_chance for group in GROUPS}


def _permuted(rows: Rows, group: str, seed: int) -> Rows:
    other = np.random.default_rng(seed).permutation(len(rows.x))
    x, chosen = rows.x.copy(), group_columns(group)
    x[:, chosen] = x[other[:, None], chosen]
    return rows._replace(x=x, history=rows.history[other] if group == CONTENT else rows.history)


def _auc(scores: FloatArray, rows: Rows) -> float:
    return float(quality(scores, rows.clicked, rows.impression).auc.mean())
