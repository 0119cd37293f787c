"""Variational dropout: let the data say how precisely each weight is known, and drop those that drown in their noise.

Each weight is a Gaussian N(w, sigma ** 2) with its own dropout rate alpha = sigma ** 2 / w ** 2 (Molchanov, Ashukha &
Vetrov, 2017, "Variational Dropout Sparsifies Deep Neural Networks"). Learned is the evidence lower bound

    loss + weight / N * sum KL(alpha)
    -KL(alpha) ~ k1 sigmoid(k2 + k3 log alpha) - log(1 + 1 / alpha) / 2 - k1,   k = (0.63576, 1.87320, 1.48695)

with the local reparametrisation: outputs are drawn from N(x w^T, x ** 2 (sigma ** 2)^T) instead of weights. A weight
with log alpha > `threshold` (3: the noise is 4.5 times the weight) says nothing and becomes zero. So the share is not
chosen: it follows from the evidence, and from `weight`, the lambda of the objective in method.py.

`train` knows one loss; the KL is added in the backward pass of each use of a layer (a teacher's article layers have two
uses). log sigma ** 2 moves FASTER times as quickly as a weight, or it would not arrive within a few epochs.
"""

import copy
from typing import Annotated, Any

import msgspec
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...errors import RecipeError
from .layers import copied, exchange, linears
from .method import Method, Workbench
from .prune import drop
from .tuning import tuned

K1, K2, K3 = 0.63576, 1.87320, 1.48695
START = -8.0  # log sigma ** 2: almost certain
FASTER = 200.0
EVERY = 10


def minus_kl(log_alpha: Tensor) -> Tensor:
    """Of each weight, within 0.01 of the exact integral; 0 at alpha = infinity, negative elsewhere."""
    return K1 * torch.sigmoid(K2 + K3 * log_alpha) - 0.5 * functional.softplus(-log_alpha) - K1


class _Added(torch.autograd.Function):
    """Passes `output` on, and gives `loss` the gradient 1, as if it had been added to the training loss."""

    @staticmethod
    def forward(_: Any, output: Tensor, loss: Tensor) -> Tensor:  # noqa: ARG004 - only its gradient counts
        return output.view_as(output)

    @staticmethod
    def backward(_: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        return gradients[0], torch.ones(())


class NoisyLinear(nn.Linear):
    """A linear layer with Gaussian weights while learning; certain ones in evaluation."""

    def __init__(self, layer: nn.Linear, kl_weight: float) -> None:
        super().__init__(layer.in_features, layer.out_features, layer.bias is not None)
        self.load_state_dict(layer.state_dict())
        self.precision = nn.Parameter(torch.full_like(layer.weight, START / FASTER))  # log sigma ** 2 / FASTER
        self._kl_weight = kl_weight

    def log_alpha(self) -> Tensor:
        """Log of each weight's noise over signal, (out, in), within -10..10."""
        return (FASTER * self.precision - torch.log(self.weight.square() + 1e-12)).clamp(-10, 10)

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - as torch names it
        mean = super().forward(input)
        if not self.training:
            return mean
        variance = functional.linear(input.square(), torch.exp(FASTER * self.precision))
        noisy = mean + torch.randn_like(mean) * torch.sqrt(variance + 1e-12)
        pruned = self.weight == 0  # by an earlier step: these cost nothing
        kl = -(minus_kl(self.log_alpha()) * ~pruned).sum()
        noised: Tensor = _Added.apply(noisy, self._kl_weight * kl)
        return noised

    def plain(self) -> nn.Linear:
        """An ordinary layer with the means of the weights and no noise."""
        layer = nn.Linear(self.in_features, self.out_features, self.bias is not None)
        layer.load_state_dict({name: value for name, value in self.state_dict().items() if name != "precision"})
        return layer.requires_grad_(requires_grad=False)


class Variational(Method, frozen=True, tag="variational"):
    """Learn how sure each weight is, zero those that are not, then fine-tune."""

    threshold: Annotated[float, msgspec.Meta(ge=-9, le=9)] = 3.0
    weight: Annotated[float, msgspec.Meta(gt=0, le=1000)] = 1.0
    layers: str = ""  # names that start like this; "" = all

    def apply(self, model: nn.Module, bench: Workbench) -> nn.Module:
        if not bench.epochs:
            raise RecipeError(
                "variational(...) learns how sure each weight is: it needs at least one fine-tuning epoch"
            )
        noisy = copy.deepcopy(model)
        for name, layer in linears(noisy, self.layers).items():
            exchange(noisy, name, NoisyLinear(layer, self.weight / len(bench.rows.x)))
        latest = _Latest()
        tuned(noisy, bench, after_step=latest)
        noisy.load_state_dict(latest.state)
        pruned, masks = copied(noisy), dict[str, Tensor]()
        for name, layer in linears(noisy, self.layers).items():
            assert isinstance(layer, NoisyLinear)
            masks[name] = layer.log_alpha().detach() <= self.threshold
            exchange(pruned, name, layer.plain())
        drop(pruned, masks)
        return tuned(pruned, bench)


class _Latest:
    """The state as it was last: the best held-out one, which `train` keeps, is the one least sure of its noise."""

    state: dict[str, Tensor]

    def __call__(self, model: nn.Module, step: int) -> None:
        if step % EVERY == 0 or step == 1:
            self.state = {name: tensor.clone() for name, tensor in model.state_dict().items()}
