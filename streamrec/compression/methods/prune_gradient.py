"""Importance by gradient: the first-order change of the loss if a weight, a unit or an input were zero.

    L(theta') - L(theta) = - sum of g_j w_j over the dropped weights + O(||theta - theta'||_2 ** 2)      g = dL / dtheta

so |change| <= sum of |g_j w_j| to first order, and for a loss whose curvature is at most M the rest is at most
M / 2 * ||theta - theta'||_2 ** 2 (both asserted in tests; Molchanov et al., 2017). Importance is |g_j w_j| averaged
over batches, which is at least |mean g_j w_j|: near a minimum the mean gradient vanishes for all weights alike, the
batches' gradients do not. For a unit with activation h the same with sum over samples of h dL/dh, which equals
sum over outgoing weights of g w: gradients of weights are all that is needed.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...training.model import forward
from .layers import linears
from .method import Workbench

SAMPLE_ROWS, BATCH_ROWS = 16_384, 512
OfGradient = Callable[[Tensor, Tensor], Tensor]  # (weight, gradient) -> importance


def importance(model: nn.Module, bench: Workbench, of: OfGradient, layers: str = "") -> dict[str, Tensor]:
    """Mean over batches of |of(weight, gradient)| for the layers of these names; no gradient is left behind."""
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
            found = of(layer.weight.detach(), gradient).abs() / len(batches)
            total[name] = total[name] + found if name in total else found
    for parameter, learning in learns.items():
        parameter.requires_grad_(learning)
    return total


def weights(weight: Tensor, gradient: Tensor) -> Tensor:
    """Importance of each weight by the first-order change of the loss if it were zero, (out, in)."""
    return weight * gradient


def inputs_of_layer(weight: Tensor, gradient: Tensor) -> Tensor:
    """(in,) first-order change per unit or input that this layer reads."""
    return (weight * gradient).sum(dim=0)
