"""Rows of made-up readers, and an evaluator small enough for tests that trains for real."""

import numpy as np
from making_rows import normal_rows

from streamrec.arrays import FloatArray
from streamrec.compression.search.splits import Splits
from streamrec.compression.search.trial import Fidelity, Request
from streamrec.compression.search.trials import Evaluated
from streamrec.engine.predictor import COLUMNS
from streamrec.errors import RecipeError
from streamrec.training.rows import Rows

SLATE = 8
REQUEST = Request(log="made up", data="d", seed=1, max_loss=0.05, test_from_ms=None)


def readers(impressions: int, seed: int = 1, users: int = 60) -> Rows:
    """Impressions one second apart; whether a reader clicks depends on ten of the columns, not quite linearly."""
    rng = np.random.default_rng(seed)
    count = impressions * SLATE
    x = normal_rows(rng, count)
    logit = x[:, :8] @ np.linspace(1, 0.3, 8) + np.abs(x[:, 64]) - 1.5
    number = np.repeat(np.arange(impressions), SLATE)
    rows = Rows.of_features(x, rng.random(count) < 1 / (1 + np.exp(-logit)), number)
    return rows._replace(user=rng.integers(0, users, impressions)[number], at_ms=1000 * number)


class Linear:
    """Recipes `keep(k)`: a ridge regression on the first k columns, by gradient steps; the fewer the smaller."""

    def __init__(self, cut: Splits) -> None:
        self._cut, self.asked = cut, list[tuple[str, Fidelity]]()

    def evaluate(self, recipe: str, fidelity: Fidelity) -> Evaluated:
        """Few epochs are a strong ridge."""
        self.asked.append((recipe, fidelity))
        if not recipe.startswith("keep("):
            raise RecipeError(f"only keep(k) is known, not {recipe}")
        kept = int(recipe.removeprefix("keep(").split(")")[0])
        rows = self._cut.train.take(np.arange(len(self._cut.train.x)) >= (1 - fidelity.share) * len(self._cut.train.x))
        return Evaluated(self._scores(rows, kept, 1000 / (1 + fidelity.epochs)), 4 * kept)

    def layers(self) -> list[str]:
        """One."""
        return ["all"]

    def teacher(self) -> FloatArray:
        """Scores of the validation rows by all columns."""
        return self._scores(self._cut.train, COLUMNS, 1.0)

    def _scores(self, rows: Rows, kept: int, ridge: float) -> FloatArray:
        a = rows.x[:, :kept].astype(np.float64)
        weights = np.linalg.solve(a.T @ a + ridge * np.eye(kept), a.T @ (rows.clicked - rows.clicked.mean()))
        return (self._cut.validation.x[:, :kept] @ weights).astype(np.float32)
