"""Half-precision weights: 2 bytes instead of 4.

Bound (asserted in a test): |w - fp16(w)| <= 2**-11 * |w| for 2**-14 <= |w| <= 65504, and <= 2**-25 below.
"""

import torch
from torch import nn

from ...errors import RecipeError
from .layers import copied, linears, write
from .method import Method, Workbench

LARGEST = 65504.0


class Fp16(Method, frozen=True, tag="fp16"):
    """Round weights to half precision; they stay float32 while computing."""

    layers: str = ""

    @torch.no_grad()
    def apply(self, model: nn.Module, bench: Workbench) -> nn.Module:
        compressed = copied(model)
        for name, layer in linears(compressed, self.layers).items():
            if float(layer.weight.abs().max()) > LARGEST:
                raise RecipeError(f"fp16: layer {name} holds weights above {LARGEST:g}, the largest of half precision")
            write(layer, layer.weight.half().float())
        return compressed
