"""The ladder: every rung on the same impressions, differences paired, and an honest sentence about them."""

import sys

import numpy as np
import pytest
from making_rows import HELD_OUT, TRAINING, impressions
from sklearn.linear_model import LogisticRegression

from streamrec.contracts.limits import VECTOR_DIMS
from streamrec.engine.features.features import FEATURES
from streamrec.models.manifest import Interval
from streamrec.models.network import INPUT_RANGE
from streamrec.training.evaluate import quality
from streamrec.training.ladder import (
    RIDGE,
    TEACHER,
    TREES_RUNG,
    Ladder,
    Ranking,
    best_served,
    judged,
    ladder,
    mean_cosine,
    says,
)
from streamrec.training.rows import Rows

LATER = impressions(2000, 4)
POPULARITY = VECTOR_DIMS + [function.__name__ for function in FEATURES].index("popularity")


@pytest.fixture(scope="module")
def found() -> Ladder:
    """All rungs on little data, on which popularity is what most wish to avoid."""
    return ladder(against_popularity(), HELD_OUT, seed=1, epochs=2)


def against_popularity() -> Rows:
    """Training rows in which what is popular is not clicked."""
    rows = impressions(600, 1)
    return rows._replace(clicked=rows.x[:, POPULARITY] < np.quantile(rows.x[:, POPULARITY], 0.2))


def test_the_mean_cosine_by_hand() -> None:
    """Against the definition, row by row; who read nothing has 0."""
    scores = mean_cosine(TRAINING)
    for row in range(0, 600, 7):
        read = TRAINING.histories[TRAINING.history[row]]
        vectors = TRAINING.vectors[read[read >= 0]]
        article = TRAINING.vectors[TRAINING.article[row]]
        user = vectors.sum(axis=0) if len(vectors) else np.zeros(64)
        expected = user @ article / (np.linalg.norm(user) or 1)
        np.testing.assert_allclose(scores[row], expected, atol=1e-5)
    assert (scores[TRAINING.history == 0] == 0).all()


def test_the_rungs_are_those_of_the_docstring(found: Ladder) -> None:
    """In this order, and the best single feature may be one turned round."""
    single = "best single feature: -popularity"
    assert list(found.scores) == [
        "random",
        "popularity",
        single,
        "mean cosine",
        "logistic regression",
        TREES_RUNG,
        "wide ranker",
        "student without a teacher",
    ]
    np.testing.assert_array_equal(found.scores[single](LATER), -LATER.x[:, POPULARITY])
    assert all(score(LATER).shape == (2000,) for score in found.scores.values())


def test_logistic_regression_is_the_library_s(found: Ladder) -> None:
    """The same logits as scikit-learn's own, on inputs cut at the same range, with the same ridge."""
    rows = against_popularity()
    mean, std = rows.x.mean(axis=0), rows.x.std(axis=0)
    z, later = (((x - mean) / std).clip(-INPUT_RANGE, INPUT_RANGE) for x in (rows.x, LATER.x))
    library = LogisticRegression(C=1 / RIDGE, max_iter=5000, tol=1e-8).fit(z, rows.clicked)
    ours = found.scores["logistic regression"](LATER)
    np.testing.assert_allclose(ours, library.decision_function(later), atol=0.01)


def test_differences_are_paired(found: Ladder) -> None:
    """The model minus the rung, by impression: the difference of the means, with an interval round it."""
    model = found.scores["logistic regression"](LATER)
    scores = {name: score(LATER) for name, score in found.scores.items()}
    rungs = {rung.name: rung for rung in judged(scores, model, LATER, seed=1)}
    auc = quality(model, LATER.clicked, LATER.impression).auc.mean()
    for name, rung in rungs.items():
        assert rung.ahead["auc"].value == pytest.approx(auc - rung.quality["auc"].value), name
        assert rung.ahead["auc"].low <= rung.ahead["auc"].value <= rung.ahead["auc"].high
    own = rungs["logistic regression"].ahead["auc"]
    assert own.low == own.value == own.high == 0


def test_the_best_of_what_can_be_served_is_taken(found: Ladder) -> None:
    """By the held-out rows, of the networks alone: trees may be better, but no worker has them."""
    auc = {
        name: quality(found.scores[name](HELD_OUT), HELD_OUT.clicked, HELD_OUT.impression).auc.mean()
        for name in found.networks
    }
    assert best_served(found, HELD_OUT) == max(auc, key=auc.__getitem__)
    assert TREES_RUNG not in found.networks


def test_without_the_library_its_rung_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others are there as before."""
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    names = list(ladder(TRAINING, HELD_OUT, seed=1, epochs=1).scores)
    assert TREES_RUNG not in names
    assert len(names) == 7


@pytest.mark.parametrize(
    ("low", "high", "verb"),
    [(0.001, 0.02, "beats"), (-0.001, 0.02, "is not shown to beat"), (-0.02, -0.001, "is worse than")],
)
def test_it_says_whether_the_best_rung_is_beaten(low: float, high: float, verb: str) -> None:
    """The best but the teacher and the model itself, by the paired interval."""

    def rung(name: str, auc: float, low: float, high: float) -> Ranking:
        return Ranking(name, {"auc": Interval(auc, 0, 1)}, {"auc": Interval((low + high) / 2, low, high)})

    rungs = [
        rung("random", 0.5, 0.1, 0.2),
        rung("trees", 0.6, low, high),
        rung(TEACHER, 0.9, -1, -1),
        rung("it", 0.7, 0, 0),
    ]
    assert says(rungs, "it").startswith(f"it {verb} trees, the best of the ladder: AUC ")


def test_few_readers_leave_it_open() -> None:
    """An interval of so few is too narrow: it is not called better, whatever it says, and how many there are stands."""
    ahead = {"auc": Interval(0.02, 0.01, 0.03)}
    few, many = (Ranking("trees", {"auc": Interval(0.6, 0, 1)}, ahead, readers) for readers in (99, 100))
    assert "beats" in says([many], "it")
    assert says([few], "it").startswith("it is open whether it beats trees, the best of the ladder: AUC +0.0200")
    assert says([few], "it").endswith("99 readers, and under 100 nothing is decided")
    (rung,) = judged({"x": HELD_OUT.x[:, 0]}, HELD_OUT.x[:, 1], HELD_OUT, 1)
    assert 0 < rung.readers <= len(set(HELD_OUT.user.tolist()))
