"""The linear layers of a model by name, and how to look at and exchange them.

Only weight matrices of linear layers are compressed: biases and buffers are under 2 % of a model and decide much.
"""

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ...errors import RecipeError
from ...models.network import Network


def linears(model: nn.Module, layers: str = "") -> dict[str, nn.Linear]:
    """Linear layers whose name starts with `layers`, in the model's order; RecipeError if there is none."""
    found = {name: module for name, module in model.named_modules() if isinstance(module, nn.Linear)}
    chosen = {name: module for name, module in found.items() if name.startswith(layers)}
    if not chosen:
        raise RecipeError(f"no linear layer's name starts with {layers!r}; this model has {', '.join(found) or 'none'}")
    return chosen


def raw_weight(layer: nn.Linear) -> nn.Parameter:
    """The parameter an optimizer moves: what stands under a fake quantization, or the weight itself."""
    hidden = parametrize.is_parametrized(layer, "weight")
    return layer.get_parameter("parametrizations.weight.original" if hidden else "weight")


def copied(model: nn.Module) -> nn.Module:
    """A copy in evaluation mode that is not learning."""
    return copy.deepcopy(model).eval().requires_grad_(requires_grad=False)


def shaped(model: nn.Module, shapes: Mapping[str, Sequence[int]]) -> nn.Module:
    """A copy whose linear layers are as large as a state's, and pairs where its are; their weights are noise."""
    found = copied(model)
    for name in linears(found):
        parts = [f"{name}{part}" for part in ("", ".0", ".1") if f"{name}{part}.weight" in shapes]
        layers = list[nn.Module]()
        for part in parts:
            rows, columns = shapes[f"{part}.weight"]
            layers.append(nn.Linear(columns, rows, bias=f"{part}.bias" in shapes))
        if layers:
            exchange(found, name, layers[0] if len(layers) == 1 else nn.Sequential(*layers))
    return found.eval().requires_grad_(requires_grad=False)


def exchange(model: nn.Module, name: str, module: nn.Module) -> None:
    """Put a module in the place of the one of this name."""
    parent, _, last = name.rpartition(".")
    setattr(model.get_submodule(parent), last, module)


def dense(model: nn.Module) -> dict[str, Tensor]:
    """The matrix each layer of the uncompressed model has become; a low-rank pair counts as its product."""
    return {name: found[0] if len(found) == 1 else found[1] @ found[0] for name, found in factors_of(model).items()}


def factors_of(model: nn.Module) -> dict[str, list[Tensor]]:
    """The matrices that are stored for each layer of the uncompressed model, the first to be applied first: one or two.

    Names are `stages.<n>` by position in the uncompressed chain for a Network, paths of modules for other models.
    """
    if isinstance(model, Network):
        return _factors_of_stages(model)
    found: dict[str, list[Tensor]] = {}
    for name, layer in linears(model).items():
        parent, _, last = name.rpartition(".")
        if parent and last == "1" and f"{parent}.0" in found and is_pair(model.get_submodule(parent)):
            found[parent] = [*found.pop(f"{parent}.0"), layer.weight.detach()]
        else:
            found[name] = [layer.weight.detach()]
    return found


def is_pair(module: nn.Module) -> bool:
    """Whether a module is the two factors lowrank.py makes of a layer."""
    return (
        isinstance(module, nn.Sequential)
        and len(module) == 2
        and isinstance(module[0], nn.Linear)
        and isinstance(module[1], nn.Linear)
        and module[0].bias is None
    )


def _factors_of_stages(network: Network) -> dict[str, list[Tensor]]:
    found: dict[str, list[Tensor]] = {}
    goes_on = False  # this stage is the second of a pair
    for stage, low in zip(network.linears(), [*network.low.tolist(), 0.0], strict=True):
        if not goes_on:
            found[f"stages.{len(found)}"] = []
        found[f"stages.{len(found) - 1}"].append(stage.weight.detach())
        goes_on = low < 0
    return found


@torch.no_grad()
def write(layer: nn.Linear, weight: Tensor) -> None:
    """Replace the weight (out, in) of a layer in place, without a gradient."""
    raw_weight(layer).copy_(weight)
