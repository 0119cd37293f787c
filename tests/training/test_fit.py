"""Training learns what can be learned, repeats itself, and refuses what nothing can be learned from."""

import numpy as np
import pytest
from making_rows import impressions, normal_rows

from streamrec.arrays import BoolArray, FloatArray
from streamrec.engine.predictor import COLUMNS
from streamrec.errors import DataError
from streamrec.models.engines import engine_of
from streamrec.training.evaluate import quality
from streamrec.training.fit import WIDE, fit, fit_teacher, fitted, halves, last_impressions, learned
from streamrec.training.loop import Progress
from streamrec.training.rows import Rows

SLATE = 10


def truth(x: FloatArray) -> FloatArray:
    """The logit by which the simulated readers click: (N, COLUMNS) -> (N,), not linear."""
    return np.asarray(2 * x[:, 0] + 1.5 * x[:, 1] + 2 * np.abs(x[:, 64]) + 1.5 * x[:, 65] * (x[:, 66] > 0) - 3.5)


def readers(rows: int, seed: int) -> Rows:
    """Rows in slates of ten."""
    rng = np.random.default_rng(seed)
    x = normal_rows(rng, rows)
    return Rows.of_features(x, rng.random(rows) < 1 / (1 + np.exp(-truth(x))), np.arange(rows) // SLATE)


def test_held_out_rows_are_scored_once() -> None:
    """Whoever fits a network has its probabilities of them: a threshold needs no second pass."""
    earlier, later = halves(impressions(6000, 1))
    found = fitted(learned(WIDE, earlier, later, 1, 1), later, 1)
    logits = engine_of("torch_fp32", found.network).logits(later.x)
    np.testing.assert_array_equal(found.held_out, found.calibration.probability(logits))


def test_metrics_resample_users_not_impressions() -> None:
    """Impressions of one reader are not independent: where all are his, nothing is known of other readers."""
    rows = impressions(6000, 1)
    own = fit(rows, seed=1, epochs=1)
    his = fit(rows._replace(user=0 * rows.user), seed=1, epochs=1)
    teacher = fit_teacher(rows._replace(user=0 * rows.user), seed=1, epochs=1)
    assert own.metrics["auc"].low < own.metrics["auc"].high
    for auc in (his.metrics["auc"], teacher.metrics["auc"]):
        assert auc.low == pytest.approx(auc.value) == auc.high
    assert his.metrics["auc"].value == own.metrics["auc"].value


@pytest.mark.slow
def test_learnable_clicks_are_learned() -> None:
    """On unseen impressions the int8 engine has AUC above 0.8, near the truth's, and probabilities that fit."""
    network, calibration, metrics, _ = fit(readers(20_000, 1), seed=1)
    later = readers(10_000, 2)
    x, clicked, groups = later.x, later.clicked, later.impression
    logits = engine_of("torch_int8", network).logits(x)
    learned, best = (quality(scores, clicked, groups).auc.mean() for scores in (logits, truth(x)))
    assert learned > max(0.8, best - 0.03)
    assert metrics["auc"].low < metrics["auc"].value < metrics["auc"].high
    p = calibration.probability(logits)
    for low, high in [(0, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 1)]:
        among = (p >= low) & (p < high)
        assert clicked[among].mean() == pytest.approx(p[among].mean(), abs=0.05)


def test_the_seed_decides_everything() -> None:
    """Same seed, same weights to the last bit; another seed, others; global random state untouched."""
    data = readers(2000, 3)
    first, again, other = (fit(data, seed=seed, epochs=1).network.arrays() for seed in (5, 5, 6))
    assert all((first[name] == again[name]).all() for name in first)
    assert (first["stages.2.weight"] != other["stages.2.weight"]).any()


def test_the_best_epoch_is_kept() -> None:
    """Noise is soon learned by heart: training ends early, and later epochs do not change the result."""
    rng = np.random.default_rng(4)
    rows = readers(2000, 4)
    rows = rows._replace(clicked=rng.random(2000) < 1 / (1 + np.exp(-0.5 * rows.x[:, 0])))
    told: list[Progress] = []
    fitted = fit(rows, seed=1, epochs=30, progress=told.append)
    best = min(told, key=lambda progress: progress.held_out_loss).epoch
    assert len(told) == best + 2 < 30
    shorter = fit(rows, seed=1, epochs=best)
    np.testing.assert_array_equal(
        fitted.network.arrays()["stages.2.weight"], shorter.network.arrays()["stages.2.weight"]
    )


def test_the_last_impressions_are_held_out_whole() -> None:
    """By time, not by id, and no impression stands on both sides."""
    groups = np.array([30, 30, 10, 10, 20, 20, 10])
    assert last_impressions(groups, 0.34).tolist() == [False, False, False, False, True, True, False]


def spoiled(column: int, value: float) -> FloatArray:
    """Good rows with one bad value."""
    x = readers(200, 1).x
    x[17, column] = value
    return x


@pytest.mark.parametrize(
    ("x", "clicked", "message"),
    [
        (np.empty((0, COLUMNS), np.float32), np.empty(0, bool), "no training rows"),
        (readers(200, 1).x, np.zeros(200, bool), "first nine tenths .* hold no click"),
        (readers(200, 1).x, np.ones(200, bool), "first nine tenths .* hold only clicks"),
        (readers(200, 1).x, np.arange(200) % 3 * (np.arange(200) < 180) > 0, "held-out last tenth .* hold no click"),
        (spoiled(7, np.nan), readers(200, 1).clicked, "NaN or infinity in feature column 7"),
        (spoiled(90, np.inf), readers(200, 1).clicked, "NaN or infinity in feature column 90"),
        (readers(200, 1).x[:, :95], readers(200, 1).clicked, r"shape \(200, 95\)"),
        (readers(200, 1).x, readers(200, 1).clicked[:150], "with 150 clicks"),
    ],
)
def test_rows_nothing_can_be_learned_from_are_refused(x: FloatArray, clicked: BoolArray, message: str) -> None:
    """Each with what was expected, before any training starts."""
    with pytest.raises(DataError, match=message):
        fit(Rows.of_features(x, clicked, np.arange(len(x)) // SLATE), seed=1)


def test_a_single_impression_is_refused() -> None:
    """Nothing is left to train on once it is held out."""
    rows = readers(20, 1)
    with pytest.raises(DataError, match=r"first nine tenths .* hold no rows"):
        fit(rows._replace(impression=0 * rows.impression), seed=1)


def test_a_handful_of_impressions_is_refused() -> None:
    """Four held-out impressions would choose the epoch and the calibration by chance."""
    with pytest.raises(DataError, match=r"there are 49 impressions .* at least 50"):
        fit(readers(490, 1), seed=1)
