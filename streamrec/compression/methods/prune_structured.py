"""Structured pruning: whole units or whole input columns go, and the matrices become smaller: less to store *and* less
to compute.

    neurons(magnitude, .5)     half of the units of every hidden layer
    columns(gradient, .25)     a quarter of the input columns ("vector size": 64 of the columns are the product u * c)

A unit's activation is replaced by its mean over training rows, which is added to the next bias: of all constants that
leaves the smallest squared error in the next layer. A column is standardised, so its mean is 0 and nothing is added.
"""

import torch
from torch import Tensor, nn

from ...errors import RecipeError
from ...models.network import ABSENT, Network
from ...training.fit import BOUND_ROWS
from ...training.model import forward
from .layers import copied, is_pair
from .method import Method, Workbench
from .pruning_importance import (
    By,
    Share,
    gradient_importance,
    input_change,
    input_magnitude,
    strongest,
    unit_magnitude,
)
from .tuning import sample, tuned

EACH_ALONE = (nn.ReLU, nn.LeakyReLU, nn.GELU, nn.SiLU, nn.ELU, nn.Tanh, nn.Sigmoid, nn.Dropout, nn.Identity)


class Neurons(Method, frozen=True, tag="neurons"):
    """Remove the least important units of each hidden layer, then fine-tune."""

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
            return unit_magnitude(layer.weight, layer.bias, after.weight)
        name = next(name for name, module in model.named_modules() if module is after)
        return gradient_importance(model, bench, input_change, name)[name]


class Columns(Method, frozen=True, tag="columns"):
    """Stop reading the least important input columns, then fine-tune."""

    by: By
    share: Share

    def apply(self, model: nn.Module, bench: Workbench) -> nn.Module:
        if not isinstance(model, Network):
            raise RecipeError(
                f"columns(...) changes the shape of a chain of layers, and {type(model).__name__} is none;"
                " put student(...) and distil(...) before it, or use prune(...) or lowrank(...)"
            )
        if self.by == "magnitude":
            importance = input_magnitude(model.linears()[0].weight) * (model.std < ABSENT)
        else:
            importance = gradient_importance(copied(model), bench, input_change, "stages.0")["stages.0"]
        return tuned(reading(model, strongest(importance, self.share)), bench)


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
    chain = list(model.stages if isinstance(model, Network) else getattr(model, "scorer", None) or _sequence(model))
    layers = [layer for layer in chain if isinstance(layer, nn.Linear)]
    if len(layers) < 2 or len(layers) < len(chain):
        raise RecipeError(
            f"neurons(...) needs a chain of linear layers with a hidden one between them; this {type(model).__name__}"
            " has none, or lowrank(...) has split it: put neurons(...) before it"
        )
    return layers


def _sequence(model: nn.Module) -> list[nn.Module]:
    """The first nn.Sequential of a model that is not ours, without what works on each unit alone; empty if none is."""
    for module in model.modules():
        if isinstance(module, nn.Sequential) and not is_pair(module):
            return [part for part in module if not isinstance(part, EACH_ALONE)]
    return []


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
