"""Distillation: learn from the teacher's logits, from clicks, or from both.

    loss = (1 - alpha) * BCE(logits, clicked) + alpha * T ** 2 * BCE(logits / T, sigmoid(teacher / T))

(Hinton et al., 2015; training/loop.py.) How much pull is best depends on the teacher, so a search tries several. Loss
of AUC of 32 units in int8, by alpha 0 / .3 / .7 / 1:

    MIND, 12 and 13 November (the teacher reads titles)      .8 / .6 / .3 / .3 %
    EB-NeRD, 22 to 25 May (no text: the teacher knows less)  -1.1 / -1.2 / -1.1 / -.8 %

The student is the moving average of the weights on their way, and has time. With the last weights themselves and the
patience of fine-tuning it loses .8 % on MIND at alpha .3, and the seeds lie further apart.
"""

from typing import Annotated

import msgspec
from torch import nn

from ...errors import RecipeError
from ...training.fit import STUDENT
from .layers import copied
from .method import Method, Workbench
from .tuning import taught

EPOCHS = 8  # times those of fine-tuning: it starts from nothing


class Distil(Method, frozen=True, tag="distil"):
    """Teach the model; the best held-out state is kept."""

    alpha: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.7
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
            rate=STUDENT.learning_rate,
            alpha=self.alpha,
            temperature=self.temperature,
            patience=STUDENT.patience,
            average=STUDENT.average,
        )
        return student
