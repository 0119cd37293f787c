"""torch.ao.quantization.quantize_dynamic over all linear stages: int8 weights, 7-bit activations. The default.

Dynamic quantization takes the activations' scale from the smallest and largest value of the call. Here the first two
rows of every block are sentinels at both ends of the range the network allows (network.py clamps all others into it),
so the scale is the same in every call; integer sums are exact in any order.

torch has announced that the function will be removed, so no other file names it, and `missing` tries it;
onednn_int8.py does without, and serves where this engine is asked for and gone. A scale for each output in place of one
for the layer (its `per_channel` form) changes the error by less than 5 % on these networks, so it is not used.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ...arrays import FloatArray
from ..network import INPUT_RANGE, Network, use_one_thread
from .contract import EngineName, in_blocks

SENTINELS = 2

Model = TypeVar("Model", bound=nn.Module)


class TorchInt8:
    """Dynamically quantized torch, with the range of every stage's input pinned."""

    name: EngineName = "torch_int8"

    def __init__(self, network: Network) -> None:
        use_one_thread()
        self._network = quantized(network)
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
    """Why torch cannot quantize dynamically here; empty if it can."""
    if (quantize := _quantize_dynamic()) is None:
        return f"torch {torch.__version__} has no torch.ao.quantization.quantize_dynamic"
    return _fault(quantize)


def quantized(model: Model) -> Model:
    """A copy in evaluation mode whose linear layers are dynamically quantized, where `missing` finds nothing."""
    return _quantized(model, _quantize_dynamic())


def _quantize_dynamic() -> Any:
    """The function, wherever this torch lacks any part of its name: None."""
    try:
        return getattr(import_module("torch.ao.quantization"), "quantize_dynamic", None)
    except ImportError:
        return None


def _quantized(model: Model, quantize: Any) -> Model:
    with _known_deprecations():
        result: Model = quantize(model, {nn.Linear}, dtype=torch.qint8)
    return result


@cache
def _fault(quantize: Callable[..., Any]) -> str:
    """What one product says: the name may be left after its kernels or its dtypes are gone."""
    with torch.random.fork_rng(devices=[]):  # a layer draws its weights, and seeds shall give what they gave
        one = nn.Linear(1, 1).requires_grad_(requires_grad=False)
    one.weight.fill_(1)
    one.bias.fill_(1)
    try:
        result = _quantized(nn.Sequential(one), quantize)(torch.ones((1, 1)))
    except (AttributeError, TypeError, RuntimeError) as error:
        return f"torch {torch.__version__} cannot quantize dynamically here ({type(error).__name__})"
    return "" if abs(result.item() - 2) < 0.02 else "torch's dynamic int8 product of 1 and 1, plus 1, is not 2 here"


@contextmanager
def _known_deprecations() -> Iterator[None]:
    """Hush the two announcements that the function above will be removed; its absence has its own message."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"torch\.ao\.quantization is deprecated", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=r"torch\.quantize_per_tensor", category=UserWarning)
        yield
