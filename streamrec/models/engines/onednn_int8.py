"""torch's oneDNN kernels on plain int8 tensors: int8 in torch without quantize_dynamic and without quantized dtypes.

Both are announced for removal; `torch.ops.onednn.qlinear_pointwise` takes ordinary uint8 and int8 tensors with their
scales, and is what torch's own successor (PT2E quantization) compiles to. The numbers are those of fixed_point.py.

The last stage asks for its sums of whole numbers and scales them here. With AMX the operator's kernels for few and for
many rows differ in the last bit of `sum * scale + bias`; the sums are exact in any kernel (float32 holds them to 2^24,
1,028 inputs; beyond, each is rounded by itself), and torch scales each element alike. The other stages end on a grid,
where a last bit would have to lie at a boundary to be seen: 0 of 477,030 rows of 30 networks differed by the split.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...arrays import FloatArray
from ..fixed_point import Stage, stages_of
from ..network import Network, use_one_thread
from .contract import EngineName, in_blocks


class OnednnInt8:
    """oneDNN on whole numbers with fixed scales."""

    name: EngineName = "onednn_int8"

    def __init__(self, network: Network) -> None:
        use_one_thread()
        self._network = network.eval()
        self._stages = stages_of(network)
        self._packed = [_packed(stage) for stage in self._stages]
        last = self._stages[-1]
        weight, scales, zeros, bias = self._packed[-1]
        self._packed[-1] = weight, torch.ones_like(scales), zeros, torch.zeros_like(bias)  # sums of whole numbers
        self._step, self._bias = scales * last.scale, bias

    @torch.inference_mode()
    def logits(self, features: FloatArray) -> FloatArray:
        """Logits (N,) float32 of feature rows (N, COLUMNS) float32."""
        return in_blocks(features, lambda block: self._block(torch.from_numpy(block)).numpy())

    def _block(self, x: Tensor) -> Tensor:
        first = self._stages[0]
        h = self._network.standardised(x).div_(first.scale).round_().add_(first.zero).clamp_(0, 255).to(torch.uint8)
        for number, stage in enumerate(self._stages[:-1]):
            after = self._stages[number + 1]
            h = self._linear(h, number, stage.scale, stage.zero, after.scale, after.zero, torch.uint8)
        sums = self._linear(h, len(self._stages) - 1, 1.0, self._stages[-1].zero, 1.0, 0, torch.float32)
        return sums.mul_(self._step).add_(self._bias)[:, 0]

    def _linear(
        self, h: Tensor, number: int, step: float, middle: int, scale: float, zero: int, dtype: torch.dtype
    ) -> Tensor:
        weight = self._packed[number]  # weight, its scales, its zeros, bias
        given: tuple[Any, ...] = (h, step, middle, *weight, scale, zero, dtype, "none", [], "")
        result: Tensor = torch.ops.onednn.qlinear_pointwise(*given)
        return result


def missing() -> str:
    """Why this engine cannot be built here; empty if it can."""
    available: Callable[[], bool] = torch.backends.mkldnn.is_available
    if not available():
        return f"torch {torch.__version__} was built without oneDNN"
    return _fault()


@cache
def _fault() -> str:
    """What one product says: the operator is there but not implemented on some processors."""
    one = Stage(1.0, 0, np.ones((1, 1), np.int8), *(np.ones(1, np.float32),) * 2, np.ones(1, np.int32))
    try:
        given: tuple[Any, ...] = (torch.ones((1, 1), dtype=torch.uint8), 1.0, 0, *_packed(one), 1.0, 0)
        result = torch.ops.onednn.qlinear_pointwise(*given, torch.float32, "none", [], "")
    except (AttributeError, RuntimeError) as error:
        return f"torch {torch.__version__} has no oneDNN int8 product here ({type(error).__name__})"
    return "" if result.item() == 2 else "oneDNN's int8 product of 1 and 1, plus 1, is not 2 here"


def _packed(stage: Stage) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    weight = torch.ops.onednn.qlinear_prepack(torch.from_numpy(stage.weight), None)
    zeros = torch.zeros(len(stage.weight), dtype=torch.int32)
    return weight, torch.from_numpy(stage.weight_scale), zeros, torch.from_numpy(stage.bias)
