"""Arithmetic on scores for the comparison page: agreement of int8 with fp32, calibration curves, quality by slice."""

from collections.abc import Mapping

import numpy as np

from ...arrays import BoolArray, FloatArray
from ...models.calibration import Calibration
from ...training.evaluate import quality, summary, users_of
from ...training.rows import Rows
from .outcome import Agreement, Bin, Metrics

BINS = 10
TOP = 0.01


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
