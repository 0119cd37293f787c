"""The ranker of a worker without a model folder: a logistic on the feature columns, with weights given by hand.

    P(click) = 1 / (1 + exp(-(weights . features + bias)))

It knows nothing of readers' habits beyond those weights and never claims quality; it makes the first start work.
"""

import hashlib
from dataclasses import dataclass, field

import numpy as np

from ..arrays import FloatArray
from ..contracts.push import ModelStamp
from ..engine.scores import COLUMNS, finite_rows
from .calibration import Calibration


@dataclass(frozen=True)
class Prior:
    """Weights (COLUMNS,) float32 and a bias; `name` stands in every push."""

    weights: FloatArray
    bias: float
    name: str = "prior"
    stamp: ModelStamp = field(init=False)

    def __post_init__(self) -> None:
        if self.weights.shape != (COLUMNS,):
            raise ValueError(f"prior weights have shape {self.weights.shape}; expected ({COLUMNS},)")
        digest = hashlib.sha256(self.weights.astype("<f4").tobytes() + repr(float(self.bias)).encode())
        object.__setattr__(self, "stamp", ModelStamp(self.name, digest.hexdigest()[:12], "fp32"))

    def probability(self, features: FloatArray) -> FloatArray:
        """P(click) of each row: (N, COLUMNS) -> (N,)."""
        # summed row by row: a BLAS product would round differently in batches of another size
        logits = (finite_rows(features) * self.weights).sum(axis=1, dtype=np.float32) + np.float32(self.bias)
        return Calibration().probability(logits)
