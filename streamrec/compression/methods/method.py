"""What a compression method is, and what it works with.

All methods look for a small theta' near the minimum of one objective,

    L(theta') + lambda * ||theta'||_0      L: loss on clicks and the teacher's logits; ||.||_0: weights not zero

and differ in how they walk there: by choosing which weights to drop (pruning), by writing the weights with fewer
numbers (low rank, a student) or with fewer bits (int8, fp16). lambda is not a setting: a recipe says the share, the
energy or the size instead, and a search over recipes walks along lambda.

    apply(model, bench) -> model     a new one in evaluation mode; the one given is left as it was

A method is a frozen struct whose fields are its settings (compression/recipe.py reads and writes them as text and
JSON). What it cannot do it refuses with a RecipeError that says why.
"""

from typing import NamedTuple

import msgspec
from torch import nn

from ...arrays import FloatArray
from ...training.rows import Rows


class Workbench(NamedTuple):
    """What methods may look at: never the rows on which the result will be judged."""

    rows: Rows  # to learn from
    held_out: Rows  # to decide which epoch is kept
    teacher_logits: FloatArray | None  # (N,) of `rows`; None: learn from clicks alone
    seed: int
    epochs: int  # of fine-tuning after each method; 0 = none


class Method(msgspec.Struct, frozen=True):
    """One step of a recipe: takes a model and gives a smaller one, in which later steps go on. Its tag is its word."""

    @property
    def name(self) -> str:
        """The word by which recipes name this method."""
        return str(self.__struct_config__.tag)

    def apply(self, model: nn.Module, bench: Workbench) -> nn.Module:
        """The compressed model; RecipeError with the reason if this model cannot be compressed this way."""
        raise NotImplementedError
