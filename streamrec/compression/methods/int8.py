"""int8 weights, symmetric, one scale per output channel or one per layer.

    scale = max |w| / 127, rounded up to 16 significant bits        q = round(w / scale), in -127..127

Bounds (asserted in tests; n inputs, scale of the row, exact arithmetic):

    |w - q * scale| <= scale / 2                      per weight
    |Wx - Q(W)x|    <= n * scale / 2 * max |x|        per output

The 16 bits make `127 * scale` exact in float32, so quantizing what is quantized changes nothing, to the bit: the
stored integers, the model evaluated and the model loaded again are one (compression/store.py relies on it).

The model keeps float32 weights that lie on the grid ("fake quantization"): its quality is that of int8 weights. The
engines (models/engines) hold them as int8 and round activations too; the admission check measures that part.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from .layers import copied, linears, write
from .method import Method, Workbench

Grain = Literal["channel", "tensor"]
LEVELS = 127
SCALE_BITS = 16
SMALLEST_SCALE = 2.0**-100  # of a row without weights


def scales_of(weight: Tensor, grain: Grain) -> Tensor:
    """Scales of a weight (out, in) by which it becomes int8: (out, 1) for a grain of channels, (1, 1) for a layer."""
    largest = weight.abs().amax(dim=1, keepdim=True) if grain == "channel" else weight.abs().amax().reshape(1, 1)
    mantissa, exponent = torch.frexp(largest / LEVELS)
    mantissa = torch.ceil(mantissa * 2**SCALE_BITS) / 2**SCALE_BITS
    return torch.ldexp(mantissa, exponent).clamp(min=SMALLEST_SCALE)


def integers_of(weight: Tensor, scales: Tensor) -> Tensor:
    """A weight (out, in) as int8 on the grid of its scales, within -LEVELS..LEVELS."""
    return torch.round(weight / scales).clamp(-LEVELS, LEVELS).to(torch.int8)


def on_grid(weight: Tensor, grain: Grain) -> Tensor:
    """The nearest weights that int8 can hold, float32."""
    scales = scales_of(weight, grain)
    return integers_of(weight, scales) * scales


class Int8(Method, frozen=True, tag="int8"):
    """Round weights to int8, without learning."""

    grain: Grain = "channel"
    layers: str = ""  # names that start like this; "" = all

    @torch.no_grad()
    def apply(self, model: nn.Module, bench: Workbench) -> nn.Module:
        compressed = copied(model)
        for layer in linears(compressed, self.layers).values():
            write(layer, on_grid(layer.weight, self.grain))
        return compressed
