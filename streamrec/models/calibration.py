"""Platt scaling: from a logit to a probability that can be compared with a threshold.

    P(click) = 1 / (1 + exp(-(a * logit + b)))

Fitted by Newton's method on smoothed targets (J. Platt, "Probabilistic outputs for support vector machines", 1999;
H.-T. Lin, C.-J. Lin, R. Weng, "A note on Platt's probabilistic outputs", 2007), so that rows separated perfectly do
not drive `a` to infinity.
"""

import math

import msgspec
import numpy as np

from ..arrays import BoolArray, DoubleArray, FloatArray

MAX_NEWTON_STEPS = 100


class Calibration(msgspec.Struct, frozen=True):
    """Slope and offset of the logit; the default changes nothing."""

    a: float = 1.0
    b: float = 0.0

    def probability(self, logits: FloatArray) -> FloatArray:
        """(N,) logits -> (N,) probabilities, float32."""
        scaled = np.float32(self.a) * logits + np.float32(self.b)
        return np.asarray(1 / (1 + np.exp(-scaled.clip(-80, 80))), np.float32)

    def is_usable(self) -> bool:
        """Finite, and order-preserving: a model whose scores had to be turned round has learned nothing."""
        return math.isfinite(self.a) and math.isfinite(self.b) and self.a > 0


def fit_calibration(logits: FloatArray, clicked: BoolArray) -> Calibration:
    """The maximum-likelihood slope and offset for (N,) logits and clicks; needs at least one row of each class."""
    positives = int(clicked.sum())
    negatives = clicked.size - positives
    target = np.where(clicked, (positives + 1) / (positives + 2), 1 / (negatives + 2))  # (N,)
    design = np.stack([logits.astype(np.float64), np.ones(logits.size)], axis=1)  # (N, 2)
    params = logistic(design, target, np.array([0.0, math.log((positives + 1) / (negatives + 1))]))
    return Calibration(float(params[0]), float(params[1]))


def logistic(design: DoubleArray, target: DoubleArray, params: DoubleArray, ridge: float = 0.0) -> DoubleArray:
    """(F,) the maximum-likelihood weights for (N, F) and targets (N,) in 0..1, by Newton's method from `params` on.

    `ridge` / 2 times their squared length is added to the loss, but for the last of them, the offset.
    """
    penalty = np.full(len(params), ridge)
    penalty[-1] = 0.0
    loss = _loss(design, target, params, penalty)
    for _ in range(MAX_NEWTON_STEPS):
        p = 1 / (1 + np.exp(-(design @ params).clip(-80, 80)))
        gradient = design.T @ (p - target) + penalty * params
        hessian = (design * (p * (1 - p))[:, None]).T @ design + np.diag(1e-9 + penalty)
        step = np.linalg.solve(hessian, gradient)
        scale = 1.0
        while scale > 1e-6 and (halved := _loss(design, target, params - scale * step, penalty)) > loss:
            scale /= 2  # Newton overshoots where the sigmoid is flat
        if scale <= 1e-6 or loss - halved < 1e-10 * (1 + loss):
            break
        params, loss = params - scale * step, halved
    return params


def _loss(design: DoubleArray, target: DoubleArray, params: DoubleArray, penalty: DoubleArray) -> float:
    scaled = design @ params
    return float((np.logaddexp(0, scaled) - target * scaled).sum() + penalty @ params**2 / 2)
