"""Train the ranker's network, or the teacher, on impressions: rows in the order of time, clicked or not.

The last tenth of the impressions is held out: it stops the training, fits the calibration and gives the metrics (so
these are mildly optimistic; a later day tells the truth). After the training each stage's bounds are set from
activations on training rows (network.py), before anything is calibrated or measured. The result depends on the seed
alone.

Half of the teacher's loss is the softmax over an impression: chosen, like its other numbers here, on a day of the MIND
sample that is neither the last one nor what is reported.
"""

from typing import NamedTuple, TypedDict, Unpack

import numpy as np
import torch
from numpy.typing import NDArray

from ..arrays import BoolArray, FloatArray
from ..engine.predictor import COLUMNS, Arrays
from ..errors import DataError
from ..models.artifact import Probe
from ..models.calibration import Calibration, fit_calibration
from ..models.engines import engine_of
from ..models.manifest import Interval
from ..models.network import SIZES, Network, use_one_thread
from ..models.parity import record_probe
from .evaluate import quality, summary, users_of
from .loop import LEARNING_RATE, PATIENCE, Running, train
from .model import logits_of
from .rows import Rows, check_classes, check_rows
from .teacher import Teacher

HELD_OUT = 0.1  # of the impressions, the last ones
MIN_IMPRESSIONS = 50  # below that the held-out ones, five at most, would choose the epoch and the calibration by chance
BOUND_ROWS = 8192
LISTWISE = 0.5  # weight of the order within impressions, for the teacher, students and fine-tuning
TEACHER_LEARNING_RATE = 5e-4

NOTHING: FloatArray = np.empty(0, np.float32)


class Parts(TypedDict):
    """Arguments of `artifact.save` that come from the training."""

    sizes: tuple[int, ...]
    weights: Arrays
    calibration: Calibration
    metrics: dict[str, Interval]
    probe: Probe


class Plan(NamedTuple):
    """A network's shape, and how it learns."""

    sizes: tuple[int, ...]
    learning_rate: float = LEARNING_RATE
    listwise: float = 0.0
    average: float = 0.0
    patience: int = PATIENCE
    longer: int = 1  # times the epochs asked for: what is small needs more of them, and less time for each


WIDE = Plan(SIZES)
STUDENT = Plan((COLUMNS, 32, 1), 1e-3, listwise=LISTWISE, average=0.998, patience=5, longer=4)


class Fitted(NamedTuple):
    """A trained network in evaluation mode, its calibration, and its held-out quality."""

    network: Network
    calibration: Calibration
    metrics: dict[str, Interval]
    held_out: FloatArray = NOTHING  # (N,) its P(click) of the held-out rows

    def parts(self, rows: FloatArray) -> Parts:
        """What an artifact keeps of it; of the training rows (N, COLUMNS) 256 are recorded as the probe."""
        return Parts(
            sizes=self.network.sizes,
            weights=self.network.arrays(),
            calibration=self.calibration,
            metrics=self.metrics,
            probe=record_probe(self.network, self.calibration, rows),
        )


class FittedTeacher(NamedTuple):
    """A teacher in evaluation mode, and its held-out quality."""

    teacher: Teacher
    metrics: dict[str, Interval]


def fit(rows: Rows, seed: int, epochs: int = 20, **running: Unpack[Running]) -> Fitted:
    """Fit the wide ranker; DataError for rows nothing can be learned from: none, NaN, no or only clicks in a part."""
    earlier, later = halves(rows)
    return fitted(learned(WIDE, earlier, later, seed, epochs, **running), later, seed)


def learned(plan: Plan, earlier: Rows, later: Rows, seed: int, epochs: int, **running: Unpack[Running]) -> Network:
    """A network learned by a plan from the earlier rows, stopped by the later ones, with its bounds set."""
    use_one_thread()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # initial weights
        network = Network((earlier.x.shape[1], *plan.sizes[1:]))
    network.learn_standardisation(earlier.x)
    train(
        network,
        earlier,
        later,
        seed=seed,
        epochs=epochs * plan.longer,
        learning_rate=plan.learning_rate,
        listwise=plan.listwise,
        average=plan.average,
        patience=plan.patience,
        **running,
    )
    network.to("cpu").requires_grad_(requires_grad=False)
    rng = np.random.default_rng(seed)
    network.learn_bounds(earlier.x[rng.choice(len(earlier.x), min(BOUND_ROWS, len(earlier.x)), replace=False)])
    return network


def fitted(network: Network, later: Rows, seed: int) -> Fitted:
    """A network calibrated and measured on held-out rows; DataError where its order does not hold on them."""
    logits = engine_of("torch_fp32", network).logits(np.ascontiguousarray(later.x))
    calibration = fit_calibration(logits, later.clicked)
    if not calibration.is_usable():
        raise DataError("training found no order that holds on the last tenth of the impressions; expected more data")
    return Fitted(network, calibration, _metrics(logits, later, seed), calibration.probability(logits))


def fit_teacher(rows: Rows, seed: int, epochs: int, **running: Unpack[Running]) -> FittedTeacher:
    """Fit a teacher; DataError for rows nothing can be learned from."""
    earlier, later = halves(rows)
    use_one_thread()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # initial weights
        teacher = Teacher()
    teacher.learn_standardisation(earlier.x)
    train(
        teacher,
        earlier,
        later,
        seed=seed,
        epochs=epochs,
        learning_rate=TEACHER_LEARNING_RATE,
        listwise=LISTWISE,
        **running,
    )
    teacher.to("cpu")
    return FittedTeacher(teacher, _metrics(logits_of(teacher, later), later, seed))


def _metrics(logits: FloatArray, rows: Rows, seed: int) -> dict[str, Interval]:
    measured = quality(logits, rows.clicked, rows.impression)
    return summary(measured, seed, users_of(measured, rows.impression, rows.user))


def halves(rows: Rows, columns: int = COLUMNS) -> tuple[Rows, Rows]:
    """Rows to train on and rows to stop by, in time order; DataError if either cannot be learned from."""
    check_rows(rows, columns)
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
