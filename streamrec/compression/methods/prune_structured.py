"""Structured pruning: whole units or whole input columns go, and the matrices become smaller: less to store *and* less
to compute.

    neurons(magnitude, .5)     half of the units of every hidden layer
    columns(gradient, .25)     a quarter of the input columns ("vector size": 64 of the columns are the product u * c)

A unit's activation is replaced by its mean over training rows, which is added to the next bias: of all constants that
leaves the smallest squared error in the next layer. A column is standardised, so its mean is 0 and nothing is added.
"""

from typing import ClassVar

import msgspec
import torch
from torch import Tensor, nn

from ...errors import RecipeError
from ...models.network import ABSENT, Network
from ...training.model import forward
from . import prune_gradient, prune_magnitude
from .layers import copied, network_only
from .masks import By, strongest
from .method import Workbench
from .prune import Share
from .tuning import BOUND_ROWS, sample, tuned


class Neurons(msgspec.Struct, frozen=True, tag="neurons"):
    """Remove the least important units of each hidden layer, then fine-tune."""

    name: ClassVar[str] = "neurons"
    by: By
    share: Share

    def apply(self, model: nn.Module, bench: Workbench) -> nn.Module:
        smaller = copied(model)
        for number in _hidden_layers(smaller):
            chain = _chain(smaller)
            keep = strongest(self._importance(smaller, chain, number, bench), self.share)
            means = _mean_activations(smaller, chain, number, bench)
            _shrink(chain[number], chain[number + 1], keep, means)
        if isinstance(smaller, Network):
            smaller.sizes = (smaller.sizes[0], *(stage.out_features for stage in _chain(smaller)))
        return tuned(smaller, bench)

    def _importance(self, model: nn.Module, chain: list[nn.Linear], number: int, bench: Workbench) -> Tensor:
        layer, after = chain[number], chain[number + 1]
        if self.by == "magnitude":
            return prune_magnitude.units(layer.weight, layer.bias, after.weight)
        name = next(name for name, module in model.named_modules() if module is after)
        return prune_gradient.importance(model, bench, prune_gradient.inputs_of_layer, name)[name]


class Columns(msgspec.Struct, frozen=True, tag="columns"):
    """Stop reading the least important input columns, then fine-tune."""

    name: ClassVar[str] = "columns"
    by: By
    share: Share

    def apply(self, model: nn.Module, bench: Workbench) -> nn.Module:
        network = network_only(model, "columns(...)")
        first = network.linears()[0]
        if self.by == "magnitude":
            importance = prune_magnitude.inputs(first.weight) * (network.std < ABSENT)
        else:
            first_layer = "stages.0"
            importance = prune_gradient.importance(copied(network), bench, prune_gradient.inputs_of_layer, first_layer)[
                first_layer
            ]
        return tuned(reading(network, strongest(importance, self.share)), bench)


@torch.no_grad()
def reading(network: Network, keep: Tensor) -> Network:
    """The network without the inputs whose positions are not in `keep` (ascending)."""
    smaller = Network((len(keep), *network.sizes[1:]), network.columns[keep].tolist(), network.dropout)
    state = network.state_dict()
    for name in ("columns", "mean", "std"):
        state[name] = state[name][keep]
    state["stages.0.weight"] = state["stages.0.weight"][:, keep]
    smaller.load_state_dict(state)
    return smaller.eval().requires_grad_(requires_grad=False)


def _chain(model: nn.Module) -> list[nn.Linear]:
    """Layers each of which reads what the one before it says."""
    chain = list(model.stages if isinstance(model, Network) else getattr(model, "scorer", ()))
    layers = [layer for layer in chain if isinstance(layer, nn.Linear)]
    if len(layers) < 2 or len(layers) < len(chain):
        raise RecipeError(
            f"neurons(...) needs a chain of linear layers with a hidden one between them; this {type(model).__name__}"
            " has none, or lowrank(...) has split it: put neurons(...) before it"
        )
    return layers


def _hidden_layers(model: nn.Module) -> list[int]:
    """Numbers of the layers with an activation; the inside of a low-rank pair has none, its rank is its size."""
    chain = _chain(model)
    if isinstance(model, Network):
        return [number for number, (low, _) in enumerate(model.bounds()) if low == 0]
    return list(range(len(chain) - 1))


@torch.no_grad()
def _mean_activations(model: nn.Module, chain: list[nn.Linear], number: int, bench: Workbench) -> Tensor:
    """Mean of what layer `number + 1` reads from each unit of the layer before, over the bench's rows, (n,)."""
    seen: list[Tensor] = []
    handle = chain[number + 1].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].mean(dim=0)))
    forward(model.eval(), bench.rows, sample(len(bench.rows.x), BOUND_ROWS // 4, bench.seed))
    handle.remove()
    return seen[0]


@torch.no_grad()
def _shrink(layer: nn.Linear, after: nn.Linear, keep: Tensor, means: Tensor) -> None:
    dropped = torch.ones(len(means), dtype=torch.bool)
    dropped[keep] = False
    after.bias.add_(after.weight[:, dropped] @ means[dropped])
    layer.weight = nn.Parameter(layer.weight[keep].clone(), requires_grad=False)
    layer.bias = nn.Parameter(layer.bias[keep].clone(), requires_grad=False)
    after.weight = nn.Parameter(after.weight[:, keep].clone(), requires_grad=False)
    layer.out_features = after.in_features = len(keep)
