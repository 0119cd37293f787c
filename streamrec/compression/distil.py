"""Distillation: learn from the teacher's logits, from clicks, or from both.

    loss = (1 - alpha) * BCE(logits, clicked) + alpha * T ** 2 * BCE(logits / T, sigmoid(teacher / T))

(Hinton et al., 2015; training/learn.py.) alpha = 0 is learning from clicks alone, and belongs in every search: with few
rows a small student generalises better than its teacher, and a strong pull towards it hurts.
"""

from typing import Annotated, ClassVar

import msgspec
from torch import nn

from ..errors import RecipeError
from .layers import copied
from .method import Workbench
from .tuning import taught

RATE = 1e-3
EPOCHS = 5  # times those of fine-tuning: it starts from nothing


class Distil(msgspec.Struct, frozen=True, tag="distil"):
    """Teach the model; the best held-out state is kept."""

    name: ClassVar[str] = "distil"
    alpha: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.3
    temperature: Annotated[float, msgspec.Meta(gt=0, le=20)] = msgspec.field(default=1.0, name="T")
    epochs: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0  # 0 = EPOCHS times those of fine-tuning

    def apply(self, model: nn.Module, bench: Workbench) -> nn.Module:
        if self.alpha and bench.teacher_logits is None:
            raise RecipeError(
                f"distil(alpha={self.alpha:g}) needs a teacher's logits and there are none; give a teacher, or alpha=0"
            )
        student = copied(model)
        taught(
            student,
            bench,
            epochs=self.epochs or EPOCHS * bench.epochs,
            rate=RATE,
            alpha=self.alpha,
            temperature=self.temperature,
        )
        return student
