"""One small search from rows to outcome, carried out once a test session."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import torch
from compression.search.worlds import REQUEST, readers

from streamrec.compression.search.halving import Rung
from streamrec.compression.search.outcome import Outcome
from streamrec.compression.search.recipe_evaluator import RecipeEvaluator
from streamrec.compression.search.search import search
from streamrec.compression.search.splits import split_by_time
from streamrec.compression.search.trial import Fidelity, Folder
from streamrec.training.loop import train
from streamrec.training.teacher import Teacher

RUNGS = (Rung(Fidelity(1, 0.5), 0.9, 10), Rung(Fidelity(4, 1.0), 0.95, 5))
WITHIN = msgspec.structs.replace(REQUEST, max_loss=0.2)
RECIPES = (
    "student(width=16) > distil(alpha=.3) > int8",
    "student(width=16) > distil(alpha=.3) > prune(magnitude,.5) > int8",
    "student(width=16,depth=0,vector=0) > distil(alpha=0)",
    "int8",
    "columns(magnitude,.5)",  # refused: a teacher is no chain
)


@cache
def taught() -> RecipeEvaluator:
    """A teacher of the smallest kind over the made-up readers."""
    torch.set_num_threads(1)
    cut = split_by_time(readers(1500, users=200))
    torch.manual_seed(1)
    teacher = Teacher(width=16, heads=2)
    teacher.learn_standardisation(cut.train.x)
    return RecipeEvaluator(train(teacher, cut.train, cut.held_out, seed=1, epochs=6, learning_rate=3e-3), cut, seed=1)


def found(path: Path, *, resume: bool) -> Outcome:
    """With a budget that can be met and decided."""
    folder = Folder(path, WITHIN, resume=resume)
    return search(taught(), folder, WITHIN, RECIPES, seconds=1e6, rungs=RUNGS)


@cache
def both() -> tuple[Outcome, Outcome]:
    """A search, and the same again in its folder."""
    with TemporaryDirectory() as path:
        return found(Path(path), resume=False), found(Path(path), resume=True)


def finished() -> Outcome:
    """The first."""
    return both()[0]


def again() -> Outcome:
    """The second."""
    return both()[1]
