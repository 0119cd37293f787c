"""Try a recipe, judge it on the validation window, write it down; or find it written down already.

Losses are relative to the teacher's AUC over the same impressions, with one-sided bounds from users resampled
(verdict.py). A recipe its methods refuse is a trial as well: it is not tried twice, and its reason is in the report.
"""

from collections.abc import Callable
from typing import NamedTuple

from ...arrays import FloatArray
from ...clock import monotonic_s
from ...errors import DataError, RecipeError
from ...training.evaluate import quality, users_of
from ...training.rows import Rows
from ..verdict import judge
from .trial import Fidelity, Folder, Key, Request, Trial


class Evaluated(NamedTuple):
    """What a recipe, carried out at some fidelity, gave: scores and size of its model, and time it did not pay for."""

    logits: FloatArray  # (N,) of the validation rows
    stored_bytes: int  # of the model's file
    shared_s: float = 0.0  # that an earlier recipe's trial has spent on what the two have in common


class Trials:
    """Makes and judges a search's trials, each once, and writes them into its folder."""

    def __init__(
        self,
        evaluate: Callable[[str, Fidelity], Evaluated],  # RecipeError if a recipe's methods refuse this teacher
        folder: Folder,
        validation: Rows,
        teacher_logits: FloatArray,
        request: Request,
        progress: Callable[[Trial], object] = lambda _: None,
    ) -> None:
        self._evaluate, self._folder, self._rows, self._request = evaluate, folder, validation, request
        self._progress = progress
        self._teacher = quality(teacher_logits, validation.clicked, validation.impression)
        self._users = users_of(self._teacher, validation.impression, validation.user)
        self.made = list[Trial]()  # all that were asked for, in that order

    def one(self, recipe: str, fidelity: Fidelity) -> Trial:
        """The trial of a recipe at a fidelity: made and judged now, unless the folder holds it."""
        key = self._key(recipe, fidelity)
        trial = self._folder.trial(key) or self._folder.keep(key, self._make(key))
        self.made.append(trial)
        self._progress(trial)
        return trial

    def knows(self, recipe: str, fidelity: Fidelity) -> bool:
        """Whether the folder holds a trial of this recipe at this fidelity."""
        return self._folder.trial(self._key(recipe, fidelity)) is not None

    def _key(self, recipe: str, fidelity: Fidelity) -> Key:
        return Key(recipe, fidelity, self._request.seed, self._request.data)

    def _make(self, key: Key) -> Trial:
        start = monotonic_s()
        try:
            logits, stored_bytes, shared_s = self._evaluate(key.recipe, key.fidelity)
            ours = quality(logits, self._rows.clicked, self._rows.impression)
        except (RecipeError, DataError) as error:  # a training that diverged is the recipe's fault as well
            spent_s = monotonic_s() - start
            return Trial(key.recipe, key.fidelity, key.seed, 0, 0.0, 0.0, 0.0, 0.0, spent_s, str(error))
        on_auc = judge(self._teacher.auc, ours.auc, self._users, self._request.max_loss, key.seed)
        return Trial(
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
