"""Quantization-aware fine-tuning: learn while the weights are rounded, so that they settle where rounding is cheap.

    forward    w' = int8(w)                        the grid of int8.py, its scale following the weights
    backward   dL/dw := dL/dw'                     straight-through (Bengio et al., 2013): rounding counts as identity

What the optimizer moves is w; what the model computes, and what is kept at the end, is w'. It includes int8(...).
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from .int8 import Grain, on_grid
from .layers import copied, linears, write
from .method import Method, Workbench
from .tuning import tuned


class _Rounded(nn.Module):
    """A weight as int8 holds it, with the gradient of the weight itself."""

    def __init__(self, grain: Grain) -> None:
        super().__init__()
        self._grain = grain

    def forward(self, weight: Tensor) -> Tensor:
        return weight + (on_grid(weight.detach(), self._grain) - weight).detach()


class Qat(Method, frozen=True, tag="qat"):
    """Fine-tune under rounding, then round."""

    grain: Grain = "channel"
    layers: str = ""  # names that start like this; "" = all

    def apply(self, model: nn.Module, bench: Workbench) -> nn.Module:
        rounded = copy.deepcopy(model)
        for layer in linears(rounded, self.layers).values():
            parametrize.register_parametrization(layer, "weight", _Rounded(self.grain))
        rounded = tuned(rounded, bench)
        with torch.no_grad():
            for layer in linears(rounded, self.layers).values():
                parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
                write(layer, on_grid(layer.weight, self.grain))  # w + (w' - w) may be a bit beside w'
        return copied(rounded)
