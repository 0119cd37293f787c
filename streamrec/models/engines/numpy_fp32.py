"""numpy: no library beside the one that is always there, and the smallest overhead at a few rows.

BLAS adds up a row in another order for other numbers of rows, and for another place of the row in the call (OpenBLAS
on AVX2: places 6 to 11 of every 12), so float32 products cannot keep the contract whatever the padding. Here weights
and activations lie on grids of 2^-w and 2^-a of their largest values, and products are added in float64. With K inputs
to a stage, w + a + log2 K = 53 bits hold any sum, so every sum is exact and its order does not matter; w and a are
then 22 or more at these widths, as fine as float32's own 24 rounded at every addition.
"""

import math

import numpy as np

from ...arrays import DoubleArray, FloatArray
from ...engine.predictor import COLUMNS
from ..network import INPUT_RANGE, Network, use_one_thread
from .contract import EngineName, in_blocks

BLOCK_ROWS = 512  # 512 x 512 float64 fit in 2 MiB
FLOAT64_BITS = 53


class NumpyFp32:
    """Exact sums of float32's precision, in float64."""

    name: EngineName = "numpy_fp32"

    def __init__(self, network: Network) -> None:
        use_one_thread()
        state = network.arrays()
        self._columns = state["columns"] if len(state["columns"]) < COLUMNS else slice(None)
        self._mean, self._std = state["mean"].astype(np.float64), state["std"].astype(np.float64)
        self._bounds = [(-INPUT_RANGE, INPUT_RANGE), *network.bounds()]
        self._stages = [
            _Stage(stage.weight.detach().numpy(), stage.bias.detach().numpy(), max(high, -low))
            for stage, (low, high) in zip(network.linears(), self._bounds, strict=True)
        ]

    def logits(self, features: FloatArray) -> FloatArray:
        """Logits (N,) float32 of feature rows (N, COLUMNS) float32."""
        return in_blocks(features, self._block, BLOCK_ROWS)

    def _block(self, x: FloatArray) -> DoubleArray:
        h = x[:, self._columns].astype(np.float64)
        h -= self._mean
        h /= self._std
        for stage, (low, high) in zip(self._stages, self._bounds, strict=True):
            h.clip(low, high, out=h)
            h += stage.whole
            h -= stage.whole
            h = h @ stage.weight
            h += stage.bias
        return np.asarray(h[:, 0])


class _Stage:
    """Weights (in, out) on their grid, and the number that puts inputs up to `reach` on theirs."""

    def __init__(self, weight: FloatArray, bias: FloatArray, reach: float) -> None:
        bits = FLOAT64_BITS - math.ceil(math.log2(weight.shape[1]))
        step = 2.0 ** (_exponent(float(np.abs(weight).max())) - bits // 2)
        self.weight = np.ascontiguousarray(np.rint(weight.T.astype(np.float64) / step) * step)
        self.bias = bias.astype(np.float64)
        # a sum this large has room for whole steps only: adding it and taking it away rounds to the grid
        self.whole = 1.5 * 2.0 ** (FLOAT64_BITS - 1 + _exponent(reach) - (bits - bits // 2))


def _exponent(value: float) -> int:
    """The smallest e with |value| < 2**e; 0 for 0."""
    return math.frexp(value)[1] if value else 0
