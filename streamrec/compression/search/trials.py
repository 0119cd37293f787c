"""Try a recipe, judge it on the validation window, write it down; or find it written down already.

Losses are relative to the teacher's AUC over the same impressions, with one-sided bounds from users resampled
(verdict.py). A recipe its methods refuse is a trial as well: it is not tried twice, and its reason is in the report.
"""

from collections.abc import Callable

import numpy as np

from ...arrays import FloatArray
from ...clock import monotonic_s
from ...errors import DataError, RecipeError
from ...training.evaluate import quality, users_of
from ...training.rows import Rows
from ..verdict import judge
from .evaluator import Evaluator
from .trial import Fidelity, Folder, Key, Trial


class Trials:
    """Makes and judges a search's trials, each once, and writes them into its folder."""

    def __init__(
        self,
        evaluator: Evaluator,
        folder: Folder,
        validation: Rows,
        teacher_logits: FloatArray,
        *,
        data: str,
        seed: int,
        budget: float,
        told: Callable[[Trial], object] = lambda _: None,
    ) -> None:
        self._evaluator, self._folder, self._rows, self._told = evaluator, folder, validation, told
        self._data, self._seed, self._budget = data, seed, budget
        self._teacher = quality(teacher_logits, validation.clicked, validation.impression)
        self._users = users_of(self._teacher, validation.impression, validation.user)

    def one(self, recipe: str, fidelity: Fidelity) -> Trial:
        """The trial of a recipe at a fidelity: made and judged now, unless the folder holds it."""
        key = self.key(recipe, fidelity)
        found = self._folder.trial(key) or self._make(key)
        self._told(found)
        return found

    def knows(self, recipe: str, fidelity: Fidelity) -> bool:
        """Whether the folder holds a trial of this recipe at this fidelity."""
        return self._folder.trial(self.key(recipe, fidelity)) is not None

    def key(self, recipe: str, fidelity: Fidelity) -> Key:
        """The key by which the folder names a recipe's trial at this fidelity."""
        return Key(recipe, fidelity, self._seed, self._data)

    def _make(self, key: Key) -> Trial:
        start = monotonic_s()
        try:
            logits, stored_bytes, shared_s = self._evaluator.evaluate(key.recipe, key.fidelity)
            ours = quality(logits, self._rows.clicked, self._rows.impression)
        except (RecipeError, DataError) as error:  # a training that diverged is the recipe's fault as well
            refused = Trial(
                key.recipe, key.fidelity, key.seed, 0, 0.0, 0.0, 0.0, 0.0, monotonic_s() - start, str(error)
            )
            return self._folder.keep(key, refused, np.empty(0, np.float32))
        on_auc = judge(self._teacher.auc, ours.auc, self._users, self._budget, self._seed)
        trial = Trial(
            recipe=key.recipe,
            fidelity=key.fidelity,
            seed=key.seed,
            stored_bytes=stored_bytes,
            auc=float(ours.auc.mean()),
            loss=on_auc.loss,
            lower_95=on_auc.lower_95,
            upper_95=on_auc.upper_95,
            seconds=monotonic_s() - start,
            shared_s=shared_s,
        )
        return self._folder.keep(key, trial, logits)
