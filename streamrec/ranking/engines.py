"""Two ways to compute the same logits: fp32, and int8 weights with dynamically quantized activations.

Contract: (N, COLUMNS) float32, no NaN -> (N,) float32; a row's logit does not depend on the other rows of the call.
Neither way has that property by itself:

* Dynamic quantization takes the activations' scale from the smallest and largest value of the *call*. Here row 0 of
  every block is a sentinel that reaches both ends of the range the network allows (network.py clamps all others into
  it), so the scale is the same in every call; integer sums are exact in any order.
* A BLAS product rounds differently for other numbers of rows (about 1e-7). Here the rows are padded to whole tiles.
  That is exact on the processors measured; admission.py measures it again on the one at hand.

Because a split changes nothing, rows go through in blocks small enough for the cache.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ..errors import ArtifactError
from .network import INPUT_RANGE, Network, use_one_thread
from .scores import FloatArray

EngineName = Literal["int8", "fp32"]
BLOCK_ROWS = 1024  # 1024 x 512 activations fit in 2 MiB
TILE_ROWS = 64


class Engine(Protocol):
    """One way to compute logits."""

    @property
    def name(self) -> EngineName:
        """As it stands in stamps and metrics."""

    def logits(self, features: FloatArray) -> FloatArray:
        """(N, COLUMNS) -> (N,)."""


class Fp32Engine:
    """The network as it was trained."""

    name: EngineName = "fp32"

    def __init__(self, network: Network) -> None:
        use_one_thread()
        self._network = network.eval()

    @torch.inference_mode()
    def logits(self, features: FloatArray) -> FloatArray:
        """(N, COLUMNS) -> (N,)."""
        result = np.empty(len(features), np.float32)
        for start in range(0, len(features), BLOCK_ROWS):
            block = torch.from_numpy(features[start : start + BLOCK_ROWS])
            tiles = nn.functional.pad(block, (0, 0, 0, -len(block) % TILE_ROWS))
            result[start : start + len(block)] = self._network(tiles)[: len(block)].numpy()
        return result


class Int8Engine:
    """torch.ao.quantization.quantize_dynamic over all linear layers: int8 weights, 7-bit activations."""

    name: EngineName = "int8"

    def __init__(self, network: Network) -> None:
        use_one_thread()
        self._network = _quantized(network)
        self._ceilings: list[float] = network.ceilings.tolist()
        self._sentinel = torch.full((network.sizes[0],), INPUT_RANGE)
        self._sentinel[0] = -INPUT_RANGE

    @torch.inference_mode()
    def logits(self, features: FloatArray) -> FloatArray:
        """(N, COLUMNS) -> (N,)."""
        result = np.empty(len(features), np.float32)
        for start in range(0, len(features), BLOCK_ROWS):
            block = torch.from_numpy(features[start : start + BLOCK_ROWS])
            result[start : start + len(block)] = self._block(block).numpy()
        return result

    def _block(self, x: Tensor) -> Tensor:
        h = torch.empty((len(x) + 1, x.shape[1]))
        h[0] = self._sentinel
        h[1:] = self._network.standardised(x)
        for layer, ceiling in zip(self._network.hidden, self._ceilings, strict=True):
            h = layer(h).clamp_(0, ceiling)
            h[0] = ceiling  # zero is always in the range, so the top is all there is to pin
        logits: Tensor = self._network.output(h)[1:, 0]
        return logits


def engine_of(name: EngineName, network: Network) -> Engine:
    """The engine of that name; ArtifactError if this torch cannot quantize."""
    return Int8Engine(network) if name == "int8" else Fp32Engine(network)


def _quantized(network: Network) -> Network:
    quantization = getattr(torch.ao, "quantization", None)
    quantize_dynamic = getattr(quantization, "quantize_dynamic", None)
    if quantize_dynamic is None:
        raise ArtifactError(
            f"torch {torch.__version__} has no torch.ao.quantization.quantize_dynamic; expected it in 2.11 to 2.15;"
            " set STREAMREC_ENGINE=fp32 or auto, or install an older torch"
        )
    with _known_deprecations():
        quantized: Network = quantize_dynamic(network, {nn.Linear}, dtype=torch.qint8)
    return quantized


@contextmanager
def _known_deprecations() -> Iterator[None]:
    """Hush the two announcements that the function above will be removed; its absence has its own message."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"torch\.ao\.quantization is deprecated", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=r"torch\.quantize_per_tensor", category=UserWarning)
        yield
