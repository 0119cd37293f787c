"""The evaluator of real recipes: methods on the teacher, learning from the training window's latest rows.

Recipes that begin alike ("student(64) > distil > ...") share that beginning: it is carried out once a fidelity and
kept in memory and, where a folder is given, on disk. Every step depends on its input and the seed alone, so the result
is the same as from the start.
"""

from collections import OrderedDict

import numpy as np
from torch import nn

from ...arrays import FloatArray
from ...clock import monotonic_s
from ...models.network import Network
from ...training.model import logits_of
from ...training.rows import Rows
from ..methods.layers import linears
from ..methods.method import Workbench
from ..recipe import Recipe, parse, run
from ..result import Compressed, LayerChange, layer_changes
from .evaluator import Evaluated
from .model_cache import Models
from .splits import Splits
from .trial import Fidelity

KEPT = 100  # models in memory; students are small, and a copy of the teacher has 4 MB
BEGINNING = 2  # steps: student and distil


class OfRecipes:
    """Carries recipes out on one teacher, with the train, held-out and validation windows of one log."""

    def __init__(self, teacher: nn.Module, cut: Splits, seed: int, models: Models | None = None) -> None:
        self.teacher, self.cut, self._seed, self._models = teacher.eval(), cut, seed, models
        self._teacher_logits = logits_of(teacher, cut.train)
        self._kept: OrderedDict[tuple[str, Fidelity], Compressed] = OrderedDict()
        self._seconds = dict[tuple[str, Fidelity], float]()  # what was made here took

    def evaluate(self, recipe: str, fidelity: Fidelity) -> Evaluated:
        """Carry a recipe out and score the validation window; RecipeError if its methods refuse this teacher."""
        shared_s = self._beginning_s(parse(recipe), fidelity)
        found = self.compressed(recipe, fidelity)
        return Evaluated(found.logits(self.cut.validation), found.size().file_bytes, shared_s)

    def layers(self) -> list[str]:
        """Names of the teacher's linear layers."""
        return list(linears(self.teacher))

    def is_servable(self, text: str) -> bool:
        """Whether a worker can load what comes out: a network, and no model of the teacher's shape."""
        return isinstance(self.teacher, Network) or _has_student(parse(text))

    def compressed(self, text: str, fidelity: Fidelity) -> Compressed:
        """The model that a recipe gives at this fidelity."""
        return self._run(parse(text), fidelity, self.bench(fidelity))

    def changes(self, text: str, fidelity: Fidelity) -> tuple[LayerChange, ...]:
        """Its layers beside those before compression: the teacher's, or of a student as it was distilled."""
        recipe = parse(text)
        begun = _beginning(recipe) if _has_student(recipe) else Recipe()
        before = self.compressed(begun.text(), fidelity).model
        return layer_changes(before, self.compressed(text, fidelity).model)

    def bench(self, fidelity: Fidelity) -> Workbench:
        """The rows and teacher's logits that methods learn from at this fidelity."""
        rows, logits = latest(self.cut.train, self._teacher_logits, fidelity.share)
        return Workbench(rows, self.cut.held_out, logits, self._seed, fidelity.epochs)

    def _run(self, recipe: Recipe, fidelity: Fidelity, bench: Workbench) -> Compressed:
        key = recipe.key(), fidelity
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        found = self._models.find(recipe.text(), fidelity) if self._models else None
        if found is None:
            start = monotonic_s()
            found = self._make(recipe, fidelity, bench)
            self._seconds[key] = monotonic_s() - start
            if not fidelity.epochs and recipe.steps:
                return found  # a probe: asked once
            if self._models:
                self._models.keep(fidelity, found, self._seconds[key])
        self._kept[key] = found
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return found

    def _beginning_s(self, recipe: Recipe, fidelity: Fidelity) -> float:
        """Seconds that the beginning which a recipe shares with others took, if it was made already; else 0."""
        if not _has_student(recipe) or len(recipe.steps) <= BEGINNING:
            return 0.0
        begun = _beginning(recipe)
        made = self._seconds.get((begun.key(), fidelity))
        if made is None and self._models:
            made = self._models.seconds(begun.text(), fidelity)
        return made or 0.0

    def _make(self, recipe: Recipe, fidelity: Fidelity, bench: Workbench) -> Compressed:
        if not _has_student(recipe) or len(recipe.steps) <= BEGINNING:
            return run(recipe, self.teacher, bench)
        begun = self._run(_beginning(recipe), fidelity, bench)
        rest = run(Recipe(recipe.steps[BEGINNING:]), begun.model, bench)
        return rest._replace(log=begun.log + rest.log, recipe=recipe.text())


def latest(rows: Rows, logits: FloatArray, share: float) -> tuple[Rows, FloatArray]:
    """The rows, and their logits, of the last `share` of the impressions."""
    first = np.unique(rows.impression, return_index=True)[1]
    at_ms = np.quantile(rows.at_ms[first], 1 - share) if share < 1 else -np.inf
    chosen = rows.at_ms >= at_ms
    return rows.take(chosen), logits[chosen]


def _beginning(recipe: Recipe) -> Recipe:
    return Recipe(recipe.steps[:BEGINNING])


def _has_student(recipe: Recipe) -> bool:
    return bool(recipe.steps) and recipe.steps[0].name == "student"
