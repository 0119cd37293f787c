"""What a model is given, and the one function that gives it: features to a network, histories too to a teacher.

    batch_of(rows, chosen) -> Batch               for whatever wants all inputs
    forward(model, rows, chosen) -> (n,) logits   with gradients, for training
    logits_of(model, rows) -> (N,) float32        in evaluation mode

A model that takes a Batch says so with `reads_history = True`; any other is called with the features alone.
Rows of one impression share a history, so a batch holds each history once: `user` says which one is a row's.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ..arrays import FloatArray, IntArray
from ..errors import DataError
from .rows import Rows

ROWS_AT_ONCE = 4096


class Batch(NamedTuple):
    """Inputs of n candidates and the U histories they meet, float32."""

    x: Tensor  # (n, COLUMNS)
    candidate: Tensor  # (n, 64)
    history: Tensor  # (U, 30, 64), zero where nothing was read
    seen: Tensor  # (U, 30) bool, False = empty
    user: Tensor | None = None  # (n,) row of history for each candidate; None: U = n, one each in order


def batch_of(rows: Rows, chosen: IntArray, device: str = "cpu") -> Batch:
    """The rows at these indices as one batch on the device, histories included."""
    met, user = np.unique(rows.history[chosen], return_inverse=True)
    histories = rows.histories[met]  # (U, 30)
    seen = histories >= 0
    history = rows.vectors[np.maximum(histories, 0)] * seen[..., None]
    arrays = rows.x[chosen], rows.vectors[rows.article[chosen]], history, seen, user
    x, candidate, read, mask, owner = (torch.from_numpy(array).to(device) for array in arrays)
    return Batch(x, candidate, read, mask, owner)


def forward(model: nn.Module, rows: Rows, chosen: IntArray, device: str = "cpu") -> Tensor:
    """Logits (n,) of the rows at these indices."""
    if getattr(model, "reads_history", False):
        logits: Tensor = model(batch_of(rows, chosen, device))
    else:
        logits = model(torch.from_numpy(rows.x[chosen]).to(device))
    return logits.squeeze(1) if logits.ndim == 2 else logits  # a model of one's own may say (n, 1)


@torch.inference_mode()
def logits_of(model: nn.Module, rows: Rows, device: str = "cpu") -> FloatArray:
    """(N,) float32, dropout off; DataError if a logit is not a finite number."""
    was_training = model.training
    model.eval()
    starts = range(0, len(rows.x), ROWS_AT_ONCE)
    parts = [np.arange(start, min(start + ROWS_AT_ONCE, len(rows.x))) for start in starts]
    found = [forward(model, rows, part, device).cpu().numpy() for part in parts]
    model.train(was_training)
    logits = np.concatenate([np.empty(0, np.float32), *found]).astype(np.float32)
    if not np.isfinite(logits).all():
        raise DataError("the model's logits hold NaN or infinity; expected finite numbers: its training diverged")
    return logits


def check_device(name: str) -> None:
    """DataError where torch has no such device."""
    if name == "cuda" and not torch.cuda.is_available():
        raise DataError("the device is cuda, but torch finds none; expected a GPU and a build of torch for it: use cpu")
