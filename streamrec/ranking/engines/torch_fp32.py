"""The network as it was trained, in torch: what every other engine is held against.

Rows are padded to whole tiles, so that a row meets the same kernel in a call of any size. That is exact on the
processors measured; admission.py measures it again on the one at hand.
"""

import numpy as np
import torch
from torch import nn

from ..network import Network, use_one_thread
from ..scores import FloatArray
from .contract import BLOCK_ROWS, TILE_ROWS, EngineName


class TorchFp32:
    """Eager torch, float32."""

    name: EngineName = "torch_fp32"

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
