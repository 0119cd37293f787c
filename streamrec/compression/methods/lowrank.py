"""Low-rank factorization: a layer's matrix becomes the product of two thin ones, by truncated SVD.

    W = U S V^T,  W_r = (U sqrt(S))[:, :r] (sqrt(S) V^T)[:r]        the best matrix of rank r, in both norms below

Exact errors (asserted in tests; s are the singular values, largest first; Eckart, Young and Mirsky):

    ||W - W_r||_F ** 2 = sum of s_i ** 2 over i > r        ||W - W_r||_2 = s_(r+1)

The rank is the smallest that keeps the share `energy` of sum s_i ** 2. A layer is split only where that saves
numbers: r * (in + out + 1) < in * out. In a Network one stage becomes two, with symmetric bounds between them (no
activation); elsewhere an nn.Linear becomes an nn.Sequential of two. The square roots give both factors one scale, which
suits int8.
"""

from typing import Annotated

import msgspec
import torch
from torch import Tensor, nn

from ...models.network import Network
from .layers import copied, exchange, linears
from .method import Method, Workbench
from .tuning import set_bounds, tuned


def factors(weight: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """The best approximation of an (out, in) matrix of this rank: (out, rank) and (rank, in), whose product it is."""
    u, s, vt = torch.linalg.svd(weight.double(), full_matrices=False)
    root = s[:rank].sqrt()
    return (u[:, :rank] * root).float(), (root[:, None] * vt[:rank]).float()


def rank_of(weight: Tensor, energy: float) -> int:
    """The smallest rank that keeps this share of the squared singular values; at least 1."""
    kept = torch.linalg.svdvals(weight.double()).square().cumsum(0)
    return 1 + int((kept < energy * kept[-1]).sum())


def saves(weight: Tensor, rank: int) -> bool:
    """Whether two factors of this rank are fewer numbers than the matrix (a Network's inner stage has a bias too)."""
    rows, columns = weight.shape
    return rank * (rows + columns + 1) < rows * columns


class LowRank(Method, frozen=True, tag="lowrank"):
    """Split layers into two thin ones, then fine-tune."""

    energy: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.9
    layers: str = ""  # names that start like this; "" = all

    def apply(self, model: nn.Module, bench: Workbench) -> nn.Module:
        ranks = {
            name: rank
            for name, layer in linears(model, self.layers).items()
            if saves(layer.weight, rank := rank_of(layer.weight.detach(), self.energy))
        }
        if isinstance(model, Network):
            network = split_stages(model, {int(name.rpartition(".")[2]): rank for name, rank in ranks.items()})
            set_bounds(network, bench)
            return tuned(network, bench)
        return tuned(_split_modules(model, ranks), bench)


@torch.no_grad()
def split_stages(network: Network, ranks: dict[int, int]) -> Network:
    """A network whose stages of these numbers are pairs; the bounds inside pairs are open."""
    sizes, low, high, stages = [network.sizes[0]], list[float](), list[float](), list[tuple[Tensor, Tensor]]()
    ends = [*network.bounds(), (0.0, 0.0)]  # the last stage has none
    for number, (stage, end) in enumerate(zip(network.linears(), ends, strict=True)):
        weight: Tensor = stage.weight
        if number in ranks:
            left, right = factors(weight, ranks[number])
            sizes.append(ranks[number])
            low.append(-torch.inf)
            high.append(torch.inf)
            stages.append((right, torch.zeros(len(right))))
            weight = left
        sizes.append(len(weight))
        low.append(end[0])
        high.append(end[1])
        stages.append((weight, stage.bias))
    split = Network(sizes, network.columns.tolist(), network.dropout)
    split.mean.copy_(network.mean)
    split.std.copy_(network.std)
    split.low.copy_(torch.tensor(low[:-1]))
    split.high.copy_(torch.tensor(high[:-1]))
    for stage, (weight, bias) in zip(split.linears(), stages, strict=True):
        stage.weight.copy_(weight)
        stage.bias.copy_(bias)
    return split.eval().requires_grad_(requires_grad=False)


@torch.no_grad()
def _split_modules(model: nn.Module, ranks: dict[str, int]) -> nn.Module:
    split = copied(model)
    for name, rank in ranks.items():
        layer = split.get_submodule(name)
        assert isinstance(layer, nn.Linear)
        left, right = factors(layer.weight, rank)
        first = nn.Linear(layer.in_features, rank, bias=False)
        second = nn.Linear(rank, layer.out_features, bias=layer.bias is not None)
        first.weight.copy_(right)
        second.weight.copy_(left)
        if layer.bias is not None:
            second.bias.copy_(layer.bias)
        exchange(split, name, nn.Sequential(first, second).requires_grad_(requires_grad=False))
    return split
