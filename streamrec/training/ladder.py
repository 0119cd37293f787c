"""The ladder: what a model has to beat, learned from the same rows and judged on the same later impressions.

    random                       chance
    popularity                   recent readers
    best single feature          the scalar feature, or its opposite, that orders the training rows best
    mean cosine                  of the article and the last 30 read: what the encoder alone knows
    logistic regression          of all columns, with a ridge; a network without hidden units
    gradient boosting            scikit-learn's histogram trees (extra `train`)
    wide ranker                  512 and 256 units, from single clicks
    student without a teacher    32 units, from clicks and their order

Of rows with columns of one's own, popularity and mean cosine are not there. What learns, learns from the training rows,
and is stopped by the held-out ones where it can be: each has its own number of epochs. A rung whose library is missing
is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Unpack

import msgspec
import numpy as np
import torch

from ..arrays import DoubleArray, FloatArray
from ..contracts.limits import VECTOR_DIMS
from ..engine.predictor import COLUMN_NAMES
from ..models.calibration import logistic
from ..models.manifest import Interval
from ..models.network import Network
from .evaluate import MIN_USERS, difference, quality, summary, users_of
from .fit import STUDENT, WIDE, learned
from .loop import Running
from .model import logits_of
from .rows import Rows

RIDGE = 1.0
TREES, LEAVES, TREE_RATE = 300, 15, 0.05
TEACHER, TREES_RUNG, INT8 = "teacher", "gradient boosting", "this model in int8"
EPOCHS = 6

Score = Callable[[Rows], FloatArray]  # (N,)


class Ranking(msgspec.Struct, frozen=True):
    """One ranking of the test window, and by how much the model that is judged is better, paired by impression."""

    name: str
    quality: dict[str, Interval]  # by metric
    ahead: dict[str, Interval]  # by metric; below 0 the rung is better
    readers: int = 0  # who made the impressions; 0: not recorded


class Ladder(NamedTuple):
    """All rungs, as functions of rows, and those of them that a worker can serve."""

    scores: Mapping[str, Score]
    networks: Mapping[str, Network]


def ladder(
    training: Rows,
    held_out: Rows,
    seed: int,
    epochs: int = EPOCHS,
    *,
    names: Sequence[str] = COLUMN_NAMES,
    **running: Unpack[Running],
) -> Ladder:
    """Learn every rung that learns, the wide ranker `running` as told; DataError for rows that teach nothing.

    `names` are those of the columns, where they are one's own.
    """
    networks = {
        "logistic regression": _logistic_regression(training),
        "wide ranker": learned(WIDE, training, held_out, seed, epochs, **running),
        "student without a teacher": learned(STUDENT, training, held_out, seed, epochs),
    }
    is_own = names is not COLUMN_NAMES
    column, sign = _best_feature(training, 0 if is_own else VECTOR_DIMS)
    trees = _gradient_boosting(training, held_out, seed)
    scores: dict[str, Score | None] = {
        "random": lambda rows: np.random.default_rng(seed).random(len(rows.x)).astype(np.float32),
        "popularity": None if is_own else _feature(COLUMN_NAMES.index("popularity"), 1),
        f"best single feature: {'' if sign > 0 else '-'}{names[column]}": _feature(column, sign),
        "mean cosine": None if is_own else mean_cosine,
        "logistic regression": _network(networks["logistic regression"]),
        TREES_RUNG: trees,
        **{name: _network(networks[name]) for name in ("wide ranker", "student without a teacher")},
    }
    return Ladder({name: score for name, score in scores.items() if score is not None}, networks)


def best_served(found: Ladder, held_out: Rows) -> str:
    """Name of the network that orders the held-out rows best."""

    def auc(name: str) -> float:
        return float(quality(found.scores[name](held_out), held_out.clicked, held_out.impression).auc.mean())

    return max(found.networks, key=auc)


def judged(scores: Mapping[str, FloatArray], model: FloatArray, rows: Rows, seed: int) -> list[Ranking]:
    """Rungs of (N,) scores beside the (N,) scores of a model, with intervals over users."""
    ours = quality(model, rows.clicked, rows.impression)
    users = users_of(ours, rows.impression, rows.user)
    found = list[Ranking]()
    for name, score in scores.items():
        theirs = quality(score, rows.clicked, rows.impression)
        ahead = difference(ours, theirs, seed, users)
        found.append(Ranking(name, summary(theirs, seed, users), ahead, len(np.unique(users))))
    return found


def says(rungs: Sequence[Ranking], model: str) -> str:
    """Whether a model beats the best rung but the teacher, and the best single feature, in a sentence.

    Under MIN_USERS readers nothing is decided, whatever the interval says.
    """
    plain = [rung for rung in rungs if rung.name not in {TEACHER, INT8, model}]
    best = max(plain, key=lambda rung: rung.quality["auc"].value)
    ahead = best.ahead["auc"]
    if 0 < best.readers < MIN_USERS:
        few = f"{best.readers} readers, and under {MIN_USERS} nothing is decided"
        return f"it is open whether {model} beats {best.name}, the best of the ladder: AUC {ahead.value:+.4f}, {few}"
    verb = "beats" if ahead.low > 0 else "is worse than" if ahead.high < 0 else "is not shown to beat"
    return (
        f"{model} {verb} {best.name}, the best of the ladder: AUC {ahead.value:+.4f}"
        f" ({ahead.low:+.4f} to {ahead.high:+.4f}, paired)"
    )


def mean_cosine(rows: Rows) -> FloatArray:
    """(N,) cosine of the article and the mean of the unit vectors read last; 0 for who read nothing."""
    unit = _unit(np.vstack([rows.vectors, np.zeros_like(rows.vectors[:1])]))  # row -1 is that of an empty place
    met, row = np.unique(rows.history, return_inverse=True)
    users = np.array([unit[history].sum(axis=0) for history in rows.histories[met]])
    return np.asarray(np.einsum("nd,nd->n", _unit(users)[row], unit[rows.article]))


def _unit(vectors: FloatArray) -> FloatArray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1))


def _best_feature(rows: Rows, first: int) -> tuple[int, int]:
    """The column, from the `first` on, that orders these rows best, and 1, or -1 for its opposite."""
    columns = rows.x[:, first:].T
    above = [quality(column, rows.clicked, rows.impression).auc.mean() - 0.5 for column in columns]
    best = int(np.argmax(np.abs(above)))
    return first + best, 1 if above[best] >= 0 else -1


def _feature(column: int, sign: int) -> Score:
    return lambda rows: np.asarray(sign * rows.x[:, column])


def _network(network: Network) -> Score:
    return lambda rows: logits_of(network, rows)


def _logistic_regression(rows: Rows) -> Network:
    """A network without hidden units, with the weights of the maximum likelihood."""
    width = rows.x.shape[1]
    network = Network((width, 1)).eval().requires_grad_(requires_grad=False)
    network.learn_standardisation(rows.x)
    z = network.standardised(torch.from_numpy(rows.x)).numpy()
    design: DoubleArray = np.hstack([z, np.ones((len(z), 1))]).astype(np.float64)
    weights = logistic(design, rows.clicked.astype(np.float64), np.zeros(width + 1), RIDGE)
    (last,) = network.linears()
    last.weight.copy_(torch.from_numpy(weights[None, :-1]))
    last.bias.copy_(torch.from_numpy(weights[-1:]))
    return network


def _gradient_boosting(training: Rows, held_out: Rows, seed: int) -> Score | None:
    try:
        from sklearn.ensemble import HistGradientBoostingClassifier  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        return None
    trees = HistGradientBoostingClassifier(
        learning_rate=TREE_RATE, max_iter=TREES, max_leaf_nodes=LEAVES, early_stopping=True, random_state=seed
    )
    trees.fit(training.x, training.clicked, X_val=held_out.x, y_val=held_out.clicked)
    return lambda rows: np.asarray(trees.decision_function(rows.x), np.float32)
