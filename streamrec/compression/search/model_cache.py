"""The models of a search, in its folder: one that goes on does not train them again.

A model is a compressed file, which gives it back to the bit (store.py), and JSON that says how it came about. The JSON
is written last: what has one is whole. Both are named like the trial.
"""

import msgspec
from torch import nn

from ..methods.user_vectors import Form
from ..result import Compressed, StepLog
from ..store import encode, load_model
from .trial import Fidelity, Folder, Key


class Made(msgspec.Struct, frozen=True):
    """What is known of a model besides its weights."""

    recipe: str
    users: Form
    log: tuple[StepLog, ...]
    seconds: float = 0.0  # that it took


class Models:
    """Compressed models of one teacher by recipe and fidelity."""

    def __init__(self, folder: Folder, teacher: nn.Module, data: str, seed: int) -> None:
        self._folder, self._teacher, self._data, self._seed = folder, teacher, data, seed

    def find(self, recipe: str, fidelity: Fidelity) -> Compressed | None:
        """The model that a recipe gave at this fidelity, as it was kept; None if none was."""
        name = self._name(recipe, fidelity)
        made = self._made(name)
        if made is None:
            return None
        model = load_model(self._folder.path / f"{name}.safetensors", self._teacher)
        return Compressed(model, made.log, made.recipe, made.users)

    def seconds(self, recipe: str, fidelity: Fidelity) -> float:
        """Seconds that a kept model took to make; 0 if none was kept."""
        made = self._made(self._name(recipe, fidelity))
        return made.seconds if made else 0.0

    def keep(self, fidelity: Fidelity, found: Compressed, seconds: float = 0.0) -> None:
        """Write down a model with its step log, and the seconds it took to make."""
        name = self._name(found.recipe, fidelity)
        self._folder.write(f"{name}.safetensors", encode(found.model))
        made = Made(found.recipe, found.users, found.log, seconds)
        self._folder.write(f"{name}.json", msgspec.json.encode(made))

    def _made(self, name: str) -> Made | None:
        return self._folder.read(f"{name}.json", Made)

    def _name(self, recipe: str, fidelity: Fidelity) -> str:
        return f"models/{Key(recipe, fidelity, self._seed, self._data).hash()}"
