"""torch.ao.quantization.quantize_dynamic over all linear stages: int8 weights, 7-bit activations. The default.

Dynamic quantization takes the activations' scale from the smallest and largest value of the call. Here the first two
rows of every block are sentinels at both ends of the range the network allows (network.py clamps all others into it),
so the scale is the same in every call; integer sums are exact in any order.

torch has announced that the function will be removed; onednn_int8.py does without it. A scale for each output
in place of one for the layer (its `per_channel` form) changes the error by less than 5 % on these networks, so it is
not used.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ...arrays import FloatArray
from ..network import INPUT_RANGE, Network, use_one_thread
from .contract import EngineName, in_blocks

SENTINELS = 2


class TorchInt8:
    """Dynamically quantized torch, with the range of every stage's input pinned."""

    name: EngineName = "torch_int8"

    def __init__(self, network: Network) -> None:
        use_one_thread()
        self._network = _quantized(network)
        *self._hidden, self._last = self._network.stages
        self._bounds = network.bounds()

    @torch.inference_mode()
    def logits(self, features: FloatArray) -> FloatArray:
        """Logits (N,) float32 of feature rows (N, COLUMNS) float32."""
        return in_blocks(features, lambda block: self._block(torch.from_numpy(block)).numpy())

    def _block(self, x: Tensor) -> Tensor:
        h = torch.empty((SENTINELS + len(x), self._network.sizes[0]))
        h[0], h[1] = -INPUT_RANGE, INPUT_RANGE
        h[SENTINELS:] = self._network.standardised(x)
        for stage, (low, high) in zip(self._hidden, self._bounds, strict=True):
            h = stage(h).clamp_(low, high)
            h[0], h[1] = low, high
        logits: Tensor = self._last(h)[SENTINELS:, 0]
        return logits


def missing() -> str:
    """Why this engine cannot be built here; empty if it can."""
    quantization = getattr(torch.ao, "quantization", None)
    if getattr(quantization, "quantize_dynamic", None) is None:
        return f"torch {torch.__version__} has no torch.ao.quantization.quantize_dynamic"
    return ""


def _quantized(network: Network) -> Network:
    with _known_deprecations():
        quantize: Any = torch.ao.quantization.quantize_dynamic
        quantized: Network = quantize(network, {nn.Linear}, dtype=torch.qint8)
    return quantized


@contextmanager
def _known_deprecations() -> Iterator[None]:
    """Hush the two announcements that the function above will be removed; its absence has its own message."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"torch\.ao\.quantization is deprecated", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=r"torch\.quantize_per_tensor", category=UserWarning)
        yield
