"""What the decision needs of a model: probabilities for rows of features, and its name. Free of torch.

Rows are (N, COLUMNS) float32, finite, in the column order named by the feature fingerprint; the answer is (N,)
float32, calibrated P(click). A row's probability must not depend on the other rows of the call, to the last bit:
replay, recovery and a chunk of another size then decide the same pushes.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from ..arrays import AnyArray, FloatArray
from ..contracts.limits import VECTOR_DIMS
from ..contracts.push import ModelStamp
from .features.features import FEATURES

COLUMN_NAMES = (*(f"product_{i}" for i in range(VECTOR_DIMS)), *(function.__name__ for function in FEATURES))
COLUMNS = len(COLUMN_NAMES)

Arrays = Mapping[str, AnyArray]  # a network's state by name: float32, and `columns` int64


class Predictor(Protocol):
    """What predicts clicks for a decision: a ranker, the built-in prior, or a fake in a test."""

    @property
    def stamp(self) -> ModelStamp:
        """Name, version and engine, as every push carries them."""

    def probability(self, features: FloatArray) -> FloatArray:
        """Calibrated P(click) of each row: (N, COLUMNS) -> (N,)."""


def finite_rows(features: FloatArray) -> FloatArray:
    """The rows, contiguous; ValueError if one holds NaN or has another width, for no rule can be right about it."""
    if features.ndim != 2 or features.shape[1] != COLUMNS:
        raise ValueError(f"features have shape {features.shape}; expected (N, {COLUMNS})")
    if features.size and np.isnan(features.min()):
        column = int(np.isnan(features).any(axis=0).argmax())
        raise ValueError(f"feature column {column} holds NaN; the feature function must not produce one")
    return np.ascontiguousarray(features, dtype=np.float32)
