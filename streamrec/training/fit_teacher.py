"""Train the teacher on rows in the order of time; the last tenth of the impressions stops the training.

Half of its loss is the softmax over an impression: chosen, like the other numbers here, on a day of the MIND sample
that is neither the last one nor what is reported.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch

from ..models.manifest import Interval
from ..models.network import use_one_thread
from .evaluate import quality, summary, users_of
from .fit import halves
from .learn import Progress, learn
from .model import logits_of
from .rows import Rows
from .teacher import Teacher

LISTWISE = 0.5
LEARNING_RATE = 5e-4


class FittedTeacher(NamedTuple):
    """A teacher in evaluation mode, and its held-out quality."""

    teacher: Teacher
    metrics: dict[str, Interval]


def fit_teacher(
    rows: Rows,
    seed: int,
    epochs: int,
    progress: Callable[[Progress], object] = lambda _: None,
    device: str = "cpu",
    save_to: Path | None = None,
    resume: bool = False,
) -> FittedTeacher:
    """Fit a teacher; DataError for rows nothing can be learned from. Checkpoints as in learn.py."""
    earlier, later = halves(rows)
    use_one_thread()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)  # initial weights
        teacher = Teacher()
    teacher.learn_standardisation(earlier.x)
    learn(
        teacher,
        earlier,
        later,
        seed=seed,
        epochs=epochs,
        learning_rate=LEARNING_RATE,
        listwise=LISTWISE,
        progress=progress,
        device=device,
        save_to=save_to,
        resume=resume,
    )
    teacher.to("cpu")
    measured = quality(logits_of(teacher, later), later.clicked, later.impression)
    return FittedTeacher(teacher, summary(measured, seed, users_of(measured, later.impression, later.user)))
