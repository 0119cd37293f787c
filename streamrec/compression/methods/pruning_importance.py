"""Which weights, units and inputs matter least, and the schedule by which weights go.

By magnitude, |w|: of all theta' with the same number of non-zeros, dropping the smallest |w| minimises
||theta - theta'||_2, and leaves sum of w ** 2 over the dropped ones as its square (asserted in a test). It asks nothing
of the data. A unit's is ||w_in|| * ||w_out||, which bounds how far it can move the next layer per unit of input, and
which rescaling one against the other does not change.

By gradient, the first-order change of the loss if a weight, a unit or an input were zero:

    L(theta') - L(theta) = - sum of g_j w_j over the dropped weights + O(||theta - theta'||_2 ** 2)      g = dL / dtheta

so |change| <= sum of |g_j w_j| to first order, and for a loss whose curvature is at most M the rest is at most
M / 2 * ||theta - theta'||_2 ** 2 (both asserted in tests; Molchanov et al., 2017). Importance is |g_j w_j| averaged
over batches, which is at least |mean g_j w_j|: near a minimum the mean gradient vanishes for all weights alike, the
batches' gradients do not. For a unit with activation h the same with sum over samples of h dL/dh, which equals
sum over outgoing weights of g w: gradients of weights are all that is needed.

Weights are compared over all chosen layers at once, unless that would leave one of them less than a tenth of what is
left on average, and then layer by layer. They go by a cubic schedule (Zhu & Gupta, 2017), many early, while
the network has much to spare, and few late:

    share_t = share * (1 - (1 - t / T) ** 3)        from nothing at t = 0 to `share` at t = T
"""

import math
from collections.abc import Callable, Mapping
from typing import Annotated, Literal

import msgspec
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...training.model import forward
from .layers import linears
from .method import Workbench

SAMPLE_ROWS, BATCH_ROWS = 16_384, 512
LEAST_LEFT = 0.1  # of what is left on average: a layer with less has been emptied

By = Literal["magnitude", "gradient"]
Share = Annotated[float, msgspec.Meta(ge=0, lt=1)]
Change = Callable[[Tensor, Tensor], Tensor]  # (weight, gradient) -> first-order change of the loss


def magnitudes(layers: Mapping[str, nn.Linear]) -> dict[str, Tensor]:
    """Importance of each weight of some layers by its magnitude, (out, in) each."""
    return {name: layer.weight.detach().abs() for name, layer in layers.items()}


def unit_magnitude(incoming: Tensor, bias: Tensor, outgoing: Tensor) -> Tensor:
    """(n,) importance of the units between (n, in) weights with (n,) bias and (out, n) weights."""
    return (incoming.square().sum(dim=1) + bias.square()).sqrt() * input_magnitude(outgoing)


def input_magnitude(outgoing: Tensor) -> Tensor:
    """(F,) importance of inputs, which all have the same spread once standardised: the norm of what comes out."""
    return outgoing.square().sum(dim=0).sqrt()


def gradient_importance(model: nn.Module, bench: Workbench, change: Change, layers: str = "") -> dict[str, Tensor]:
    """Mean over batches of |change(weight, gradient)| for the layers of these names; no gradient is left behind."""
    chosen = linears(model, layers)
    learns = {parameter: parameter.requires_grad for parameter in model.parameters()}
    model.eval().requires_grad_(requires_grad=True)
    order = np.random.default_rng(bench.seed).permutation(len(bench.rows.x))[:SAMPLE_ROWS]
    batches = [order[start : start + BATCH_ROWS] for start in range(0, len(order), BATCH_ROWS)]
    total: dict[str, Tensor] = {}
    for batch in batches:
        clicked = torch.from_numpy(bench.rows.clicked[batch].astype(np.float32))
        loss = functional.binary_cross_entropy_with_logits(forward(model, bench.rows, batch), clicked)
        gradients = torch.autograd.grad(loss, [layer.weight for layer in chosen.values()])
        for (name, layer), gradient in zip(chosen.items(), gradients, strict=True):
            found = change(layer.weight.detach(), gradient).abs() / len(batches)
            total[name] = total[name] + found if name in total else found
    for parameter, learning in learns.items():
        parameter.requires_grad_(learning)
    return total


def weight_change(weight: Tensor, gradient: Tensor) -> Tensor:
    """(out, in) first-order change of the loss if a weight were zero."""
    return weight * gradient


def input_change(weight: Tensor, gradient: Tensor) -> Tensor:
    """(in,) first-order change per unit or input that this layer reads."""
    return (weight * gradient).sum(dim=0)


def share_at(step: int, steps: int, share: float) -> float:
    """Share of weights that are zero after `step` of `steps` steps."""
    return share * (1 - (1 - min(max(step / max(steps, 1), 0), 1)) ** 3)


def kept(importance: Mapping[str, Tensor], share: float, *, by_layer: bool = False) -> dict[str, Tensor]:
    """True for all but the least important `share` of weights, of all layers or of each; ties go by position."""
    if by_layer:
        return {name: kept({name: values}, share)[name] for name, values in importance.items()}
    flat = torch.cat([values.flatten() for values in importance.values()])
    mask = torch.ones(len(flat), dtype=torch.bool)
    mask[flat.argsort(stable=True)[: math.floor(share * len(flat))]] = False
    parts = torch.split(mask, [values.numel() for values in importance.values()])
    return {name: part.view_as(values) for (name, values), part in zip(importance.items(), parts, strict=True)}


def empties_a_layer(importance: Mapping[str, Tensor], share: float) -> bool:
    """Whether comparing the weights of all layers would leave one less than LEAST_LEFT of its part."""
    return any(float(mask.double().mean()) < LEAST_LEFT * (1 - share) for mask in kept(importance, share).values())


def strongest(importance: Tensor, share: float) -> Tensor:
    """Indices, ascending, of what is left of (n,) when the least important `share` is gone; at least one."""
    count = max(1, len(importance) - math.floor(share * len(importance)))
    return importance.argsort(stable=True, descending=True)[:count].sort().values
