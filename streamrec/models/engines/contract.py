"""What every engine promises: the same logits for the same row, whatever else is in the call.

    logits(features)   (N, COLUMNS) float32, rows contiguous, no NaN -> (N,) float32

A row's logit does not depend on the other rows of the call, to the last bit: replay, recovery and a chunk of another
size then decide the same pushes. No library has that property by itself. Dynamic quantization takes the activations'
scale from the smallest and largest value of the *call*; a BLAS product rounds differently for other numbers of rows
(about 1e-7). How each engine gets it stands in its file; tests/models/test_engines.py holds all of them to it, and
admission.py measures it again on the machine at hand.

Because a split changes nothing, rows go through in blocks small enough for the cache.
"""

from collections.abc import Callable
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from ...arrays import FloatArray

EngineName = Literal["torch_int8", "onednn_int8", "ort_int8", "ort_fp32", "numpy_fp32", "torch_fp32"]
Precision = Literal["int8", "fp32"]

BLOCK_ROWS = 1024  # 1024 x 512 activations fit in 2 MiB
TILE_ROWS = 64


class Engine(Protocol):
    """One way to compute a network's logits, by the promises of this module."""

    @property
    def name(self) -> EngineName:
        """The engine's name in settings, verdicts and metrics."""

    def logits(self, features: FloatArray) -> FloatArray:
        """Logits (N,) float32 of feature rows (N, COLUMNS) float32."""


def in_blocks(
    features: FloatArray, logits: Callable[[FloatArray], NDArray[np.floating[Any]]], rows: int = BLOCK_ROWS
) -> FloatArray:
    """Logits (N,) of feature rows (N, COLUMNS), computed for `rows` of them at a time."""
    result = np.empty(len(features), np.float32)
    for start in range(0, len(features), rows):
        result[start : start + rows] = logits(features[start : start + rows])
    return result


def precision_of(name: EngineName) -> Precision:
    """What the weights are multiplied in, as it stands in the stamp of a push."""
    return "int8" if name.endswith("int8") else "fp32"
