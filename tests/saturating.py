"""An int8 engine as AVX2 computes it with 8-bit weights: pairs of u8 x s8 products added in 16 bits that clip.

VPMADDUBSW: out = clip(a0 * w0 + a1 * w1, -32768, 32767). Put in on purpose where a test needs an int8 that is wrong.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from streamrec.arrays import FloatArray, IntArray
from streamrec.models.engines.contract import EngineName
from streamrec.models.fixed_point import grid
from streamrec.models.network import INPUT_RANGE, Network

WEIGHT_STEPS = 127  # one bit more than the pairs have room for
INT16 = -(2**15), 2**15 - 1


class Saturating:
    """Bears the name of the engine it stands in for."""

    def __init__(self, network: Network, name: EngineName, *, clips: bool = True) -> None:
        self.name = name
        self._network, self._clips = network, clips

    def logits(self, features: FloatArray) -> FloatArray:
        """(N, COLUMNS) -> (N,)."""
        h = self._network.standardised(torch.from_numpy(features)).numpy()
        ranges = [(-INPUT_RANGE, INPUT_RANGE), *self._network.bounds()]
        for number, stage in enumerate(self._network.linears()):
            scale, zero = grid(*ranges[number])
            weight = stage.weight.detach().numpy()
            step = np.abs(weight).max(axis=1) / WEIGHT_STEPS
            steps = np.rint(weight / step[:, None]).astype(np.int32)
            a = (np.rint(h / scale) + zero).clip(0, 255).astype(np.int32)
            sums = self._sums(a, steps) - zero * steps.sum(axis=1)
            h = (sums * (scale * step) + stage.bias.detach().numpy()).astype(np.float32)
            if number + 1 < len(ranges):
                h = h.clip(*ranges[number + 1])
        return np.ascontiguousarray(h[:, 0])

    def _sums(self, a: NDArray[np.int32], weight: NDArray[np.int32]) -> IntArray:
        """(N, K) and (out, K) -> (N, out); the last of an odd K is alone."""
        odd = a.shape[1] % 2
        a, weight = (np.pad(each, ((0, 0), (0, odd))) for each in (a, weight))
        sums = np.zeros((len(a), len(weight)), np.int64)
        for k in range(0, a.shape[1], 2):
            pair = a[:, k, None] * weight[:, k] + a[:, k + 1, None] * weight[:, k + 1]  # (N, out)
            sums += pair.clip(*INT16) if self._clips else pair
        return sums
