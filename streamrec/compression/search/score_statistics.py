"""Arithmetic on scores for the comparison page: agreement of int8 with fp32, calibration curves, quality by slice.

Slices are parts of the test window on which a compressed model may lose more than on the whole:

    new article    nobody had read the clicked article when it was shown
    new user       no impression of the user is in the training window
    language       of the clicked article, by its two letters

An impression belongs to an article's slice if any of its clicked articles does; it is judged with all its candidates.
Slices with fewer than LEAST impressions are left out: their intervals would fill the page.
"""

from collections.abc import Mapping

import numpy as np

from ...arrays import BoolArray, FloatArray
from ...contracts.limits import VECTOR_DIMS
from ...engine.features.features import FEATURES
from ...models.calibration import Calibration
from ...training.evaluate import quality, summary, users_of
from ...training.rows import Rows, language_name
from .outcome import Agreement, Bin, Metrics
from .splits import usable_impressions

BINS = 10
TOP = 0.01
LEAST = 50
UNREAD = VECTOR_DIMS + [function.__name__ for function in FEATURES].index("unread")


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
