"""Train the ranker's network on impressions: rows of features, clicked or not, in the order of time.

The last tenth of the impressions is held out: it stops the training, fits the calibration and gives the metrics (so
these are mildly optimistic; a later day tells the truth). AdamW with dropout on the binary cross-entropy of the
logits; the best epoch is kept. Then each layer's ceiling is set from activations on training rows (network.py),
before anything is calibrated or measured. The result depends on the seed alone.
"""

import copy
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from ..errors import DataError
from ..ranking.calibration import Calibration, fit_calibration
from ..ranking.engines import Fp32Engine
from ..ranking.manifest import Interval
from ..ranking.network import SIZES, Network, use_one_thread
from ..ranking.scores import COLUMNS, FloatArray
from .evaluate import quality, summary

HELD_OUT = 0.1  # of the impressions, the last ones
BATCH_ROWS = 512
LEARNING_RATE = 5e-4
WEIGHT_DECAY = 1e-2
PATIENCE = 2  # epochs without a better held-out loss
CEILING_ROWS = 8192

BoolArray = NDArray[np.bool_]


class Progress(NamedTuple):
    """What the progress callback is told after each epoch."""

    epoch: int
    loss: float  # mean binary cross-entropy on training rows
    held_out_loss: float


class Fitted(NamedTuple):
    """A trained network in evaluation mode, its calibration, and its held-out quality."""

    network: Network
    calibration: Calibration
    metrics: dict[str, Interval]


def fit(
    x: FloatArray,
    clicked: ArrayLike,
    groups: ArrayLike,
    seed: int,
    epochs: int = 20,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Fitted:
    """Fit (N, COLUMNS) rows to (N,) clicks; `groups` (N,) are impression ids, rows in time order.

    DataError for rows nothing can be learned from: none, NaN, no clicks or only clicks in either part.
    """
    y, group = np.asarray(clicked, bool), np.asarray(groups)
    _check_rows(x, y, group)
    held_out = last_impressions(group, HELD_OUT)
    _check_classes(y[~held_out], "the first nine tenths of the impressions")
    _check_classes(y[held_out], "the held-out last tenth of the impressions")
    use_one_thread()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # initial weights and dropout
        network = _learn(x[~held_out], y[~held_out], x[held_out], y[held_out], seed, epochs, progress)
    logits = Fp32Engine(network).logits(np.ascontiguousarray(x[held_out]))
    calibration = fit_calibration(logits, y[held_out])
    if not calibration.is_usable():
        raise DataError("training found no order that holds on the last tenth of the impressions; expected more data")
    return Fitted(network, calibration, summary(quality(logits, y[held_out], group[held_out]), seed))


def last_impressions(groups: NDArray[np.generic], share: float) -> BoolArray:
    """(N,) True for the rows of the last `share` of the impressions, by first appearance; at least one."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    age = np.empty(len(first), np.int64)
    age[np.argsort(first)] = np.arange(len(first))  # 0 = the earliest impression
    return np.asarray(age[inverse] >= len(first) - max(1, round(share * len(first))))


def _check_rows(x: FloatArray, y: BoolArray, group: NDArray[np.generic]) -> None:
    if x.ndim != 2 or x.shape[1] != COLUMNS or not len(x) == len(y) == len(group):
        raise DataError(
            f"training rows have shape {x.shape} with {len(y)} clicks and {len(group)} impression ids;"
            f" expected (N, {COLUMNS}), N and N"
        )
    if not len(x):
        raise DataError("there are no training rows; expected impressions with clicked and unclicked articles")
    if not np.isfinite(x).all():
        column = int((~np.isfinite(x)).any(axis=0).argmax())
        raise DataError(f"training rows hold NaN or infinity in feature column {column}; expected finite numbers")


def _check_classes(y: BoolArray, part: str) -> None:
    if not y.any() or y.all():
        held = "no rows" if not len(y) else "only clicks" if y.all() else "no click"
        raise DataError(f"{part} hold {held}; expected both clicked and unclicked articles: give more impressions")


def _learn(
    x: FloatArray,
    y: BoolArray,
    x_held_out: FloatArray,
    y_held_out: BoolArray,
    seed: int,
    epochs: int,
    progress: Callable[[Progress], None],
) -> Network:
    rng = np.random.default_rng(seed)
    network = Network(SIZES)
    network.learn_standardisation(x)
    rows, clicks = torch.from_numpy(x), torch.from_numpy(y.astype(np.float32))
    held_out = torch.from_numpy(x_held_out), torch.from_numpy(y_held_out.astype(np.float32))
    adam = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    best, best_loss, worse = copy.deepcopy(network.state_dict()), float("inf"), 0
    for epoch in range(1, epochs + 1):
        loss = _epoch(network, adam, rows, clicks, rng)
        held_out_loss = _loss(network, *held_out)
        progress(Progress(epoch, loss, held_out_loss))
        if held_out_loss < best_loss:
            best, best_loss, worse = copy.deepcopy(network.state_dict()), held_out_loss, 0
        else:
            worse += 1
        if worse == PATIENCE:
            break
    network.load_state_dict(best)
    network.eval().requires_grad_(requires_grad=False)
    network.learn_ceilings(x[rng.choice(len(x), min(CEILING_ROWS, len(x)), replace=False)])
    return network


def _epoch(
    network: Network, adam: torch.optim.Optimizer, rows: torch.Tensor, clicks: torch.Tensor, rng: np.random.Generator
) -> float:
    network.train()
    order = torch.from_numpy(rng.permutation(len(rows)))
    total = 0.0
    for batch in torch.split(order, BATCH_ROWS):
        adam.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(network(rows[batch]), clicks[batch])
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        total += loss.item() * len(batch)
    return total / len(rows)


@torch.inference_mode()
def _loss(network: Network, rows: torch.Tensor, clicks: torch.Tensor) -> float:
    return nn.functional.binary_cross_entropy_with_logits(network.eval()(rows), clicks).item()
