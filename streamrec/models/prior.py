"""The ranker of a worker without a model folder: a logistic on the scalar features, with weights given by hand.

    P(click) = 1 / (1 + exp(-(weights . features + bias)))

It knows nothing of readers' habits beyond those weights and never claims quality; it makes the first start work.
"""

import hashlib
from collections.abc import Mapping

import numpy as np

from ..arrays import FloatArray
from ..contracts.limits import VECTOR_DIMS
from ..contracts.push import ModelStamp
from ..engine.features.features import FEATURES
from ..engine.predictor import finite_rows
from .calibration import Calibration

# What anybody would guess: similar, fresh and widely read is likelier to be clicked.
GUESS = {"log_affinity": 1.2, "category_share": 2.0, "fresh_24h": 1.0, "reach": 0.3, "cooling_down": -2.0}
BIAS = -3.5


class Prior:
    """Weights by the name of a feature, 0 for the others, and a bias. Satisfies `Predictor`."""

    def __init__(self, weights: Mapping[str, float] = GUESS, bias: float = BIAS) -> None:
        named = [weights.get(function.__name__, 0.0) for function in FEATURES]
        self._weights, self._bias = np.array([0.0] * VECTOR_DIMS + named, np.float32), bias  # (COLUMNS,)
        digest = hashlib.sha256(self._weights.astype("<f4").tobytes() + repr(float(bias)).encode())
        self.stamp = ModelStamp("prior", digest.hexdigest()[:12], "fp32")

    def probability(self, features: FloatArray) -> FloatArray:
        """P(click) of each row: (N, COLUMNS) -> (N,)."""
        # summed row by row: a BLAS product would round differently in batches of another size
        logits = (finite_rows(features) * self._weights).sum(axis=1, dtype=np.float32) + np.float32(self._bias)
        return Calibration().probability(logits)
