"""A student: a new, small network of the served kind.

    width, depth    `depth` hidden layers of `width` units; depth 0 is a linear model of the features
    vector          how many of the 64 product columns u * c it reads, besides all scalar features

Which product columns: those that vary most over training rows. The scalar features still hold the whole affinity, so a
student with `vector` = 0 sees the dot product, but not where it comes from.
It has learned nothing: distil(...) must follow.
"""

from typing import Annotated

import msgspec
import numpy as np
import torch
from torch import nn

from ...arrays import FloatArray
from ...contracts.limits import VECTOR_DIMS
from ...engine.predictor import COLUMNS
from ...models.network import Network
from .method import Method, Workbench


class Student(Method, frozen=True, tag="student"):
    """Start from a new network of this shape."""

    width: Annotated[int, msgspec.Meta(ge=1, le=4096)] = 64
    depth: Annotated[int, msgspec.Meta(ge=0, le=8)] = 1
    vector: Annotated[int, msgspec.Meta(ge=0, le=VECTOR_DIMS)] = VECTOR_DIMS

    def apply(self, model: nn.Module, bench: Workbench) -> nn.Module:
        columns = columns_read(bench.rows.x, self.vector)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(bench.seed)
            network = Network((len(columns), *(self.width,) * self.depth, 1), columns)
        network.learn_standardisation(bench.rows.x)
        return network.eval().requires_grad_(requires_grad=False)


def columns_read(x: FloatArray, vector: int) -> list[int]:
    """The `vector` product columns of (N, COLUMNS) that vary most, and all scalar features; ascending.

    Of rows with columns of one's own, all of them.
    """
    if x.shape[1] != COLUMNS:
        return list(range(x.shape[1]))
    spread = x[:, :VECTOR_DIMS].std(axis=0, dtype=np.float64)
    products = np.argsort(-spread, kind="stable")[:vector]
    return [*sorted(products.tolist()), *range(VECTOR_DIMS, COLUMNS)]
