"""The network as it was trained, in torch: what every other engine is held against.

Rows are padded to whole tiles, so that a row meets the same kernel in a call of any size. That is exact on the
processors measured; admission.py measures it again on the one at hand.
"""

import torch
from torch import Tensor, nn

from ...arrays import FloatArray
from ..network import Network, use_one_thread
from .contract import TILE_ROWS, EngineName, in_blocks


class TorchFp32:
    """The network in eager torch, float32, one thread: the engine by which others are measured."""

    name: EngineName = "torch_fp32"

    def __init__(self, network: Network) -> None:
        use_one_thread()
        self._network = network.eval()

    @torch.inference_mode()
    def logits(self, features: FloatArray) -> FloatArray:
        """Logits (N,) float32 of feature rows (N, COLUMNS) float32."""
        return in_blocks(features, lambda block: self._block(torch.from_numpy(block)).numpy())

    def _block(self, x: Tensor) -> Tensor:
        tiles = nn.functional.pad(x, (0, 0, 0, -len(x) % TILE_ROWS))
        logits: Tensor = self._network(tiles)[: len(x)]
        return logits
