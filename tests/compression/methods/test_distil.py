"""Distillation follows whom it is told to follow."""

import numpy as np
import pytest
from benches import HELD_OUT, TRAINING, bench, trained_teacher

from streamrec.compression.methods.distil import Distil
from streamrec.compression.methods.student import Student
from streamrec.errors import RecipeError
from streamrec.training.model import logits_of


def test_alpha_says_whom_to_follow() -> None:
    """At 1 the student says what the teacher says, though the teacher contradicts the clicks; at 0 it ignores it."""
    work = bench(trained_teacher(), 3)
    upside_down = -3 * TRAINING.x[:, 0]
    work = work._replace(teacher_logits=upside_down, held_out=TRAINING._replace(clicked=upside_down > 0))
    student = Student(8, 1, 64).apply(trained_teacher(), work)
    obedient = logits_of(Distil(alpha=1, temperature=2, epochs=60).apply(student, work), HELD_OUT)
    assert np.corrcoef(obedient, -HELD_OUT.x[:, 0])[0, 1] > 0.6
    alone = bench(trained_teacher(), 3)
    free = logits_of(Distil(alpha=0, epochs=60).apply(student, alone._replace(teacher_logits=upside_down)), HELD_OUT)
    assert np.corrcoef(free, HELD_OUT.x[:, 0])[0, 1] > 0.4


def test_without_a_teacher_only_clicks() -> None:
    """An alpha of 0 needs no logits; anything else without them is refused, with the cure."""
    work = bench(trained_teacher(), 1)._replace(teacher_logits=None)
    student = Student(4, 1, 0).apply(trained_teacher(), work)
    Distil(alpha=0).apply(student, work)
    with pytest.raises(RecipeError, match="alpha=0"):
        Distil(alpha=0.3).apply(student, work)
