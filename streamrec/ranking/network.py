"""The ranker's network: a small MLP from features to a logit, and the numbers that make it quantise well.

    h0 = clamp((x - mean) / std, -4, 4)
    hi = clamp(Wi h(i-1) + bi, 0, ceiling_i)        a ReLU with a roof
    logit = W h + b

The clamp of the input and the ceilings give every layer's input a range known in advance. Dynamic quantization then
can use one scale for all batches (engines.py), and an outlier cannot coarsen the grid of the others. Ceilings are
infinite while the weights are learned and set once afterwards, from activations on training rows.

It is wide on purpose: at 96-512-256-1 int8 beats fp32 from about 30 rows on, at half the width only from 200.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .scores import COLUMNS, FloatArray

SIZES = (COLUMNS, 512, 256, 1)
INPUT_RANGE = 4.0  # standard deviations; rarer inputs count as this far out
INPUT_DROPOUT, HIDDEN_DROPOUT = 0.1, 0.3  # while learning; without it the width costs 1.5 points of AUC at 18,000 rows
CEILING_QUANTILE = 0.9999  # of a layer's positive activations; 7 bits are better spent below the last one in 10,000


class Network(nn.Module):
    """MLP with input standardisation; all state is in `arrays()`."""

    mean: Tensor
    std: Tensor
    ceilings: Tensor

    def __init__(self, sizes: Sequence[int] = SIZES) -> None:
        super().__init__()
        self.sizes = tuple(sizes)
        *hidden, last = zip(self.sizes, self.sizes[1:], strict=False)
        self.hidden = nn.ModuleList(nn.Linear(rows, columns) for rows, columns in hidden)
        self.output = nn.Linear(*last)
        self.register_buffer("mean", torch.zeros(self.sizes[0]))
        self.register_buffer("std", torch.ones(self.sizes[0]))
        self.register_buffer("ceilings", torch.full((len(hidden),), float("inf")))

    def standardised(self, x: Tensor) -> Tensor:
        """(N, F) -> (N, F) within INPUT_RANGE."""
        return ((x - self.mean) / self.std).clamp_(-INPUT_RANGE, INPUT_RANGE)

    def forward(self, x: Tensor) -> Tensor:
        """(N, F) features -> (N,) logits."""
        h = nn.functional.dropout(self.standardised(x), INPUT_DROPOUT, self.training)
        for layer, ceiling in zip(self.hidden, self.ceilings.tolist(), strict=True):
            h = nn.functional.dropout(layer(h).clamp(0, ceiling), HIDDEN_DROPOUT, self.training)
        logits: Tensor = self.output(h).squeeze(1)
        return logits

    def learn_standardisation(self, x: FloatArray) -> None:
        """Mean and standard deviation of each column of (N, F); a constant column is left as it is."""
        std = x.std(axis=0, dtype=np.float64)
        self.mean.copy_(torch.from_numpy(x.mean(axis=0, dtype=np.float64).astype(np.float32)))
        self.std.copy_(torch.from_numpy(np.where(std > 1e-6, std, 1.0).astype(np.float32)))

    @torch.inference_mode()
    def learn_ceilings(self, x: FloatArray) -> None:
        """Set each hidden layer's ceiling from its activations on (N, F) rows."""
        h = self.standardised(torch.from_numpy(x))
        for number, layer in enumerate(self.hidden):
            h = layer(h).clamp_(min=0)
            # kthvalue, because torch.quantile refuses more than 16 M elements
            active = h[h > 0]
            rank = max(1, round(CEILING_QUANTILE * active.numel()))
            self.ceilings[number] = float(active.kthvalue(rank).values) if active.numel() else 1.0
            h = h.clamp_(max=float(self.ceilings[number]))

    def arrays(self) -> dict[str, FloatArray]:
        """Weights and buffers by name, float32."""
        return {name: tensor.detach().numpy().copy() for name, tensor in self.state_dict().items()}


def network_of(sizes: Sequence[int], arrays: Mapping[str, NDArray[np.float32]]) -> Network:
    """A network in evaluation mode with these weights, whose names and shapes artifact.py has checked."""
    network = Network(sizes)
    network.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    return network.eval().requires_grad_(requires_grad=False)


def use_one_thread() -> None:
    """One process per core: a second OpenMP thread on a busy machine costs more in barriers than it brings."""
    torch.set_num_threads(1)
