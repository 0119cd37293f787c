"""Train the ranker's network on impressions: rows of features, clicked or not, in the order of time.

The last tenth of the impressions is held out: it stops the training, fits the calibration and gives the metrics (so
these are mildly optimistic; a later day tells the truth). The loop is learn.py's. Then each stage's bounds are set from
activations on training rows (network.py), before anything is calibrated or measured. The result depends on the seed
alone.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypedDict

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from ..arrays import BoolArray, FloatArray
from ..engine.scores import Arrays
from ..errors import DataError
from ..models.artifact import Probe
from ..models.calibration import Calibration, fit_calibration
from ..models.engines import engine_of
from ..models.manifest import Interval
from ..models.network import SIZES, Network, use_one_thread
from ..models.parity import record_probe
from .checks import check_classes, check_rows
from .evaluate import quality, summary, users_of
from .learn import Progress, learn
from .rows import Rows

HELD_OUT = 0.1  # of the impressions, the last ones
MIN_IMPRESSIONS = 50  # below that the held-out ones, five at most, would choose the epoch and the calibration by chance
BOUND_ROWS = 8192


class Parts(TypedDict):
    """Arguments of `artifact.save` that come from the training."""

    sizes: tuple[int, ...]
    weights: Arrays
    calibration: Calibration
    metrics: dict[str, Interval]
    probe: Probe


class Fitted(NamedTuple):
    """A trained network in evaluation mode, its calibration, and its held-out quality."""

    network: Network
    calibration: Calibration
    metrics: dict[str, Interval]

    def parts(self, rows: FloatArray) -> Parts:
        """What an artifact keeps of it; of the training rows (N, COLUMNS) 256 are recorded as the probe."""
        return Parts(
            sizes=self.network.sizes,
            weights=self.network.arrays(),
            calibration=self.calibration,
            metrics=self.metrics,
            probe=record_probe(self.network, self.calibration, rows),
        )


def fit(
    x: FloatArray,
    clicked: ArrayLike,
    groups: ArrayLike,
    seed: int,
    epochs: int = 20,
    progress: Callable[[Progress], object] = lambda _: None,
    device: str = "cpu",
    save_to: Path | None = None,
    resume: bool = False,
    users: ArrayLike | None = None,
) -> Fitted:
    """Fit (N, COLUMNS) rows to (N,) clicks; `groups` (N,) are impression ids, rows in time order.

    `users` (N,) are the units of the metrics' intervals; without them impressions are taken for independent.

    DataError for rows nothing can be learned from: none, NaN, no clicks or only clicks in either part.
    """
    earlier, later = split(x, clicked, groups, users)
    use_one_thread()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # initial weights
        network = Network(SIZES)
    network.learn_standardisation(earlier.x)
    learn(
        network, earlier, later, seed=seed, epochs=epochs, progress=progress, device=device, save_to=save_to,
        resume=resume,
    )  # fmt: skip
    network.to("cpu").requires_grad_(requires_grad=False)
    rng = np.random.default_rng(seed)
    network.learn_bounds(earlier.x[rng.choice(len(earlier.x), min(BOUND_ROWS, len(earlier.x)), replace=False)])
    logits = engine_of("torch_fp32", network).logits(np.ascontiguousarray(later.x))
    calibration = fit_calibration(logits, later.clicked)
    if not calibration.is_usable():
        raise DataError("training found no order that holds on the last tenth of the impressions; expected more data")
    measured = quality(logits, later.clicked, later.impression)
    units = users_of(measured, later.impression, later.user)
    return Fitted(network, calibration, summary(measured, seed, units))


def split(x: FloatArray, clicked: ArrayLike, groups: ArrayLike, users: ArrayLike | None = None) -> tuple[Rows, Rows]:
    """The first nine tenths of the impressions and the last one; DataError if either cannot be learned from."""
    y, group = np.asarray(clicked, bool), np.asarray(groups)
    check_rows(x, y, group)
    rows = Rows.of_features(x, y, group)
    return halves(rows if users is None else rows._replace(user=np.asarray(users, np.int64)))


def halves(rows: Rows) -> tuple[Rows, Rows]:
    """Rows to train on and rows to stop by, in time order; DataError if either cannot be learned from."""
    check_rows(rows.x, rows.clicked, rows.impression)
    held_out = last_impressions(rows.impression, HELD_OUT)
    check_classes(rows.clicked[~held_out], "the first nine tenths of the impressions")
    check_classes(rows.clicked[held_out], "the held-out last tenth of the impressions")
    count = len(np.unique(rows.impression))
    if count < MIN_IMPRESSIONS:
        raise DataError(f"there are {count} impressions to learn from; expected at least {MIN_IMPRESSIONS}: give more")
    return rows.take(~held_out), rows.take(held_out)


def last_impressions(groups: NDArray[np.generic], share: float) -> BoolArray:
    """(N,) True for the rows of the last `share` of the impressions, by first appearance; at least one."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    age = np.empty(len(first), np.int64)
    age[np.argsort(first)] = np.arange(len(first))  # 0 = the earliest impression
    return np.asarray(age[inverse] >= len(first) - max(1, round(share * len(first))))
