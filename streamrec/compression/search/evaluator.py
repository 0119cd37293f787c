"""What a search needs of the models it searches: everything else in it is arithmetic on what comes back."""

from typing import NamedTuple, Protocol

from ...arrays import FloatArray
from .trial import Fidelity


class Evaluated(NamedTuple):
    """A recipe carried out at some fidelity."""

    logits: FloatArray  # (N,) of the validation rows
    stored_bytes: int  # of the model's file
    shared_s: float = 0.0  # that an earlier recipe's trial has spent on what the two have in common


class Evaluator(Protocol):
    """Carries recipes out for a search, on a teacher and windows of its own."""

    def evaluate(self, recipe: str, fidelity: Fidelity) -> Evaluated:
        """Carry a recipe out and score the validation window; RecipeError if its methods refuse this teacher."""

    def layers(self) -> list[str]:
        """Names of the teacher's linear layers."""
