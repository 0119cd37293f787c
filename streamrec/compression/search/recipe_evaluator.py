"""Carries out recipes: methods on the teacher, learning from the training window's latest rows.

Recipes that begin alike ("student(64) > distil > ...") share that beginning: it is carried out once a fidelity and
kept in memory and, where a folder is given, on disk. Every step depends on its input and the seed alone, so the result
is the same as from the start.

A model on disk is a compressed file, which gives it back to the bit (store.py), and JSON that says how it came about.
The JSON is written last: what has one is whole. Both are named like the trial.
"""

from collections import OrderedDict

import msgspec
import numpy as np
from torch import nn

from ...arrays import FloatArray
from ...clock import monotonic_s
from ...models.network import Network
from ...training.model import logits_of
from ...training.rows import Rows
from ..methods.layers import linears
from ..methods.method import Workbench
from ..methods.user_vectors import Form
from ..recipe import Recipe, parse, run
from ..result import Compressed, LayerChange, StepLog, layer_changes
from ..store import encode, load_model
from .splits import Splits
from .trial import Fidelity, Folder, Key
from .trials import Evaluated

KEPT = 100  # models in memory; students are small, and a copy of the teacher has 4 MB
BEGINNING = 2  # steps: student and distil


class ModelRecord(msgspec.Struct, frozen=True):
    """What is known of a kept model besides its weights: its recipe, and how it came about."""

    recipe: str
    users: Form
    log: tuple[StepLog, ...]
    seconds: float = 0.0  # that it took


class ModelCache:
    """Compressed models of one teacher in a search's folder, by recipe and fidelity."""

    def __init__(self, folder: Folder, teacher: nn.Module, data: str, seed: int) -> None:
        self._folder, self._teacher, self._data, self._seed = folder, teacher, data, seed

    def find(self, recipe: str, fidelity: Fidelity) -> Compressed | None:
        """The model that a recipe gave at this fidelity, as it was kept; None if none was."""
        name = self._name(recipe, fidelity)
        record = self._record(name)
        if record is None:
            return None
        model = load_model(self._folder.path / f"{name}.safetensors", self._teacher)
        return Compressed(model, record.log, record.recipe, record.users)

    def seconds(self, recipe: str, fidelity: Fidelity) -> float:
        """Seconds that a kept model took to make; 0 if none was kept."""
        record = self._record(self._name(recipe, fidelity))
        return record.seconds if record else 0.0

    def keep(self, fidelity: Fidelity, found: Compressed, seconds: float) -> None:
        """Write down a model with its step log, and the seconds it took to make."""
        name = self._name(found.recipe, fidelity)
        self._folder.write(f"{name}.safetensors", encode(found.model))
        record = ModelRecord(found.recipe, found.users, found.log, seconds)
        self._folder.write(f"{name}.json", msgspec.json.encode(record))

    def _record(self, name: str) -> ModelRecord | None:
        return self._folder.read(f"{name}.json", ModelRecord)

    def _name(self, recipe: str, fidelity: Fidelity) -> str:
        return f"models/{Key(recipe, fidelity, self._seed, self._data).hash()}"


class RecipeEvaluator:
    """Carries recipes out on one teacher, with the train, held-out and validation windows of one log."""

    def __init__(self, teacher: nn.Module, cut: Splits, seed: int, models: ModelCache | None = None) -> None:
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
