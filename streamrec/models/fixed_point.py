"""The network in whole numbers, with scales fixed in advance: what the static int8 engines and the export compute.

A stage's input h lies in [low, high], which the network knows (network.py). It goes on a grid of 8 bits, the weights
of each output on one of 7, the bias on the grid of the products:

    a = round(h / s) + z, 0..255        low = 0:  z = 0,   s = high / 255
                                        else      z = 128, s = max(-low / 128, high / 127)
    w = round(W / t), -64..64           t = max|W row| / 64, at least what keeps the bias below 2^30
    z + h_next / s_next = round((sum w (a - z) + round(b / (s t))) * s t / s_next) + z_next, clipped to 0..255

Clipping at the ends of the next grid *is* the clamp to [low, high]. Scales that do not come from the call, as dynamic
quantization's do, make a row's result independent of its neighbours: sums of whole numbers are exact in any order.
The last stage gives float32.

Seven bits for the weights, because AVX2 multiplies unsigned by signed bytes with VPMADDUBSW, which adds two products
in 16 bits and saturates: 2 * 255 * 64 = 32,640 fits in 32,767, twice 255 * 127 does not. Processors with VNNI have
32 bits there; the numbers are the same on both.

Error of one stage, exact input: |W h - s t sum w (a - z)| <= s / 2 * |W|_1 + t / 2 * (|h|_1 + K s / 2), K inputs.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..arrays import FloatArray
from .network import INPUT_RANGE, Network

WEIGHT_STEPS = 64
BIAS_STEPS = 2.0**30  # the sum of the products adds at most 255 * 64 * K to it: 32 bits hold both up to K = 65,000


class Stage(NamedTuple):
    """One linear stage in whole numbers: (q - zero) * scale is its input, weight * weight_scale its matrix."""

    scale: float  # s: a step of the input's grid
    zero: int  # z: where 0 lies on it
    weight: NDArray[np.int8]  # (out, in)
    weight_scale: FloatArray  # t, (out,)
    bias: FloatArray  # (out,), as it was
    bias_steps: NDArray[np.int32]  # (out,), on the grid of s * t


def stages_of(network: Network) -> list[Stage]:
    """The stages of a network whose bounds are finite."""
    stages = []
    for linear, (low, high) in zip(network.linears(), [(-INPUT_RANGE, INPUT_RANGE), *network.bounds()], strict=True):
        scale, zero = grid(low, high)
        weight, bias = linear.weight.detach().numpy(), linear.bias.detach().numpy()
        step = np.maximum(np.abs(weight).max(axis=1) / WEIGHT_STEPS, np.abs(bias) / (scale * BIAS_STEPS))
        step = np.maximum(step, np.finfo(np.float32).tiny / scale).astype(np.float32)
        stages.append(
            Stage(
                scale,
                zero,
                np.rint(weight / step[:, None]).astype(np.int8),
                step,
                bias,
                np.rint(bias / (np.float64(scale) * step)).astype(np.int32),
            )
        )
    return stages


def grid(low: float, high: float) -> tuple[float, int]:
    """Step and zero of 256 steps that hold [low, high]; float32's value of the step, so that all engines agree."""
    step, zero = (high / 255, 0) if low == 0 else (max(-low / 128, high / 127), 128)
    return float(np.float32(step)), zero
