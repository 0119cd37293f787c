"""The ranker's network: a chain of linear stages from features to a logit, with ranges known in advance.

    h0 = clamp((x[:, columns] - mean) / std, -4, 4)
    hi = clamp(Wi h(i-1) + bi, low_i, high_i)       every stage but the last
    logit = W h + b

`low` 0 is a ReLU with a roof; `low` = -`high` is the inside of a low-rank pair, which has no activation: one chain
holds the full network, a narrow student, a factorized or a pruned one. The clamp of the input and the bounds give
every stage's input a range known in advance. Int8 then can use one scale for all batches (engines/), and an outlier
cannot coarsen the grid of the others. Bounds are infinite while the weights are learned and set once afterwards, from
activations on training rows.

The default is wide on purpose: with 512 and 256 units int8 beats fp32 from about 30 rows on, with half only from 200.
"""

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from ..arrays import FloatArray
from ..engine.predictor import COLUMNS, Arrays

SIZES = (COLUMNS, 512, 256, 1)
INPUT_RANGE = 4.0  # standard deviations; rarer inputs count as this far out
ABSENT = 1e30  # standard deviation of a column that never varied: its weights have learned nothing, so it reads as 0
DROPOUT = (0.1, 0.3)  # of inputs and hidden units while learning; without it the width costs 1.5 points of AUC
BOUND_QUANTILE = 0.9999  # of a stage's activations; 7 bits are better spent below the last one in 10,000


class Network(nn.Module):
    """Linear stages behind a standardisation; all state is in `arrays()`."""

    columns: Tensor
    mean: Tensor
    std: Tensor
    low: Tensor
    high: Tensor

    def __init__(
        self, sizes: Sequence[int] = SIZES, columns: Sequence[int] | None = None, dropout: tuple[float, float] = DROPOUT
    ) -> None:
        """`sizes` are (F, ..., 1); `columns`, ascending, are the feature columns read: the first F unless given."""
        super().__init__()
        self.sizes = tuple(sizes)
        self.dropout = dropout
        chosen = tuple(range(self.sizes[0]) if columns is None else columns)
        if list(chosen) != sorted(set(chosen)) or len(chosen) != self.sizes[0]:
            raise ValueError(f"columns are {chosen}; expected {self.sizes[0]} different ones in ascending order")
        self.stages = nn.ModuleList(nn.Linear(*pair) for pair in zip(self.sizes, self.sizes[1:], strict=False))
        self.register_buffer("columns", torch.tensor(chosen, dtype=torch.int64))
        self.register_buffer("mean", torch.zeros(self.sizes[0]))
        self.register_buffer("std", torch.ones(self.sizes[0]))
        self.register_buffer("low", torch.zeros(len(self.stages) - 1))
        self.register_buffer("high", torch.full((len(self.stages) - 1,), float("inf")))

    def standardised(self, x: Tensor) -> Tensor:
        """Features (N, COLUMNS) scaled by mean and deviation, the columns that are read, within INPUT_RANGE: (N, F)."""
        if x.shape[1] != self.sizes[0]:  # ascending columns of that many are all of them
            x = x[:, self.columns]
        return ((x - self.mean) / self.std).clamp_(-INPUT_RANGE, INPUT_RANGE)

    def forward(self, x: Tensor) -> Tensor:
        """(N, COLUMNS) features -> (N,) logits."""
        of_inputs, of_hidden = self.dropout
        h = nn.functional.dropout(self.standardised(x), of_inputs, self.training)
        *hidden, last = self.stages
        for stage, (low, high) in zip(hidden, self.bounds(), strict=True):
            h = stage(h).clamp(low, high)
            if low == 0:  # the inside of a low-rank pair is no layer of units
                h = nn.functional.dropout(h, of_hidden, self.training)
        logits: Tensor = last(h).squeeze(1)
        return logits

    def linears(self) -> list[nn.Linear]:
        """The stages, with their type: weight (out, in), bias (out,)."""
        return cast(list[nn.Linear], list(self.stages))

    def bounds(self) -> list[tuple[float, float]]:
        """(low, high) of every stage but the last."""
        return list(zip(self.low.tolist(), self.high.tolist(), strict=True))

    def learn_standardisation(self, x: FloatArray) -> None:
        """Mean and standard deviation of each column read of (N, COLUMNS)."""
        mean, std = standardisation(x[:, self.columns.numpy()])
        self.mean.copy_(mean)
        self.std.copy_(std)

    @torch.inference_mode()
    def learn_bounds(self, x: FloatArray) -> None:
        """Set each hidden stage's bounds from its activations on (N, COLUMNS) rows; symmetric where `low` < 0."""
        h = self.standardised(torch.from_numpy(x))
        for number, stage in enumerate(self.stages[:-1]):
            symmetric = float(self.low[number]) < 0
            h = stage(h)
            high = _high_quantile(h.abs() if symmetric else h)
            self.low[number], self.high[number] = -high if symmetric else 0.0, high
            h = h.clamp_(float(self.low[number]), float(self.high[number]))

    def arrays(self) -> Arrays:
        """Weights and buffers by name, float32; `columns` int64."""
        return {name: tensor.detach().numpy().copy() for name, tensor in self.state_dict().items()}


def standardisation(x: FloatArray) -> tuple[Tensor, Tensor]:
    """(F,) mean and standard deviation of the columns of (N, F), ABSENT where one is constant.

    Such a column (pushes of a log without any) may vary when served. Its weights are still those drawn at the start,
    for no gradient ever reached them: read as it is, it would move every score by chance.
    """
    std = x.std(axis=0, dtype=np.float64)
    mean = x.mean(axis=0, dtype=np.float64)
    std = np.where(std > 1e-6, std, ABSENT)
    return torch.from_numpy(mean.astype(np.float32)), torch.from_numpy(std.astype(np.float32))


def network_of(sizes: Sequence[int], arrays: Arrays) -> Network:
    """A network in evaluation mode with these weights, whose names and shapes artifact.py has checked."""
    network = Network(sizes, arrays["columns"].tolist())
    network.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    return network.eval().requires_grad_(requires_grad=False)


def use_one_thread() -> None:
    """One process per core: on a busy machine a second thread costs more than it brings (numpy: 20 times slower)."""
    torch.set_num_threads(1)
    threadpool_limits(1, "blas")


def _high_quantile(h: Tensor) -> float:
    # kthvalue, because torch.quantile refuses more than 16 M elements
    active = h[h > 0]
    return float(active.kthvalue(max(1, round(BOUND_QUANTILE * active.numel()))).values) if active.numel() else 1.0
