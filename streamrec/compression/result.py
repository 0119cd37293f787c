"""What a recipe has made of a model, and what each step did to it."""

from typing import NamedTuple

import msgspec
import torch
from torch import Tensor, nn

from ..arrays import FloatArray
from ..training.model import logits_of
from ..training.rows import Rows
from .methods.layers import dense, factors_of
from .methods.user_vectors import Form, with_user_vectors
from .size import Size, size_of


class LayerChange(msgspec.Struct, frozen=True):
    """One layer of the uncompressed model before and after a step."""

    name: str
    shape: tuple[int, ...]  # (out, in) of the matrix it stands for
    sparsity: float  # 1 - stored non-zeros / numbers of the matrix before: zeros, rows, columns and ranks that went
    error: float | None  # ||W - W'||_F / ||W||_F; None if the two have other shapes


class StepLog(msgspec.Struct, frozen=True):
    """What is left of a model after one step of its recipe."""

    step: str
    parameters: int
    nonzero: int
    file_bytes: int
    layers: tuple[LayerChange, ...]


class Compressed(NamedTuple):
    """The model, how it came about, and how its user vectors are stored."""

    model: nn.Module
    log: tuple[StepLog, ...]
    recipe: str
    users: Form

    def logits(self, rows: Rows) -> FloatArray:
        """(N,) logits as this model would give them with user vectors stored its way."""
        return logits_of(self.model, with_user_vectors(rows, self.users))

    def size(self) -> Size:
        """Bytes and counts of the model with its user vectors (size.py)."""
        return size_of(self.model, self.users)


def step_log(step: str, before: nn.Module, after: nn.Module) -> StepLog:
    """Sizes after a step, and what it did to each layer."""
    size = size_of(after)
    return StepLog(step, size.parameters, size.nonzero, size.file_bytes, layer_changes(before, after))


def layer_changes(before: nn.Module, after: nn.Module) -> tuple[LayerChange, ...]:
    """Each layer of `after` beside the one of that name in `before`; low-rank pairs count as their product."""
    earlier, stored = dense(before), factors_of(after)
    return tuple(_change(name, weight, stored[name], earlier.get(name)) for name, weight in dense(after).items())


def _change(name: str, weight: Tensor, stored: list[Tensor], before: Tensor | None) -> LayerChange:
    nonzero, shape = sum(int((factor != 0).sum()) for factor in stored), tuple(weight.shape)
    if before is None or (before.shape != weight.shape and before.numel() < weight.numel()):
        return LayerChange(name, shape, 1 - nonzero / weight.numel(), None)
    saved = 1 - nonzero / before.numel()
    if before.shape != weight.shape:
        return LayerChange(name, shape, saved, None)
    norm = float(torch.linalg.matrix_norm(before))
    return LayerChange(name, shape, saved, float(torch.linalg.matrix_norm(weight - before)) / norm if norm else 0.0)
