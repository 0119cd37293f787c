"""A search's own teacher: as many epochs as half of the search's time has room for, and one at least."""

from collections.abc import Callable
from pathlib import Path

from ...clock import monotonic_s
from ...training.fit import FittedTeacher, fit_teacher
from ...training.loop import Progress
from ...training.rows import Rows

EPOCHS = 6
CHECKPOINT = "teacher.part"


class _TimeIsUpError(Exception):
    """Ends a teacher's training when another epoch would not end in time."""


def fit_within(
    rows: Rows,
    seed: int,
    seconds: float,
    folder: Path,
    progress: Callable[[int], object] = lambda _: None,
    epochs: int = EPOCHS,
) -> tuple[FittedTeacher, int | None]:
    """The best of the epochs that were made, and after how many time stopped it (None if it did not).

    `folder` holds its checkpoint until it ends.

    A teacher that time has stopped after an epoch is the one that was asked for so many.
    """
    folder.mkdir(parents=True, exist_ok=True)
    checkpoint, start, made = folder / CHECKPOINT, monotonic_s(), 0

    def after(epoch: Progress) -> None:
        nonlocal made
        made = epoch.epoch
        progress(made)
        if made < epochs and (monotonic_s() - start) * (made + 1) / made > seconds:
            raise _TimeIsUpError

    try:
        fitted = fit_teacher(rows, seed, epochs, progress=after, save_to=checkpoint)
        stopped = None
    except _TimeIsUpError:
        fitted, stopped = fit_teacher(rows, seed, made, save_to=checkpoint, resume=True), made
    checkpoint.unlink(missing_ok=True)
    return fitted, stopped
