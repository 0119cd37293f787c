"""`best` in a folder of a search: the artifact of the model that met the budget. Searches alone write and remove it."""

import hashlib
import shutil
from pathlib import Path

from rich.console import Console

from ...clock import now_iso
from ...engine.features.fingerprint import fingerprint
from ...errors import DataError
from ...models.manifest import ChosenEngine, Manifest
from ...models.signature import SIGNATURE
from ...training.teacher_folder import TeacherManifest
from ...training.threshold import Wanted
from ..publish import publish_compressed
from ..recipe import parse
from ..source import source_of
from .final_selection import FP32
from .outcome import Outcome, Point
from .recipe_evaluator import RecipeEvaluator

BEST = "best"
WRITTEN = "best.sha256"  # of what the search has put there
TIMED = 256  # rows a call, at which engines are chosen


def check_best(out: Path) -> None:
    """DataError if `best` is not as an earlier search left it: it would be replaced, or removed."""
    folder, written = out / BEST, out / WRITTEN
    if folder.exists() and not (written.exists() and written.read_text() == _digest(folder)):
        raise DataError(f"{folder} is not what a search has written there; move it, or give another --out")


def write_best(
    out: Path,
    evaluator: RecipeEvaluator,
    outcome: Outcome,
    teacher: TeacherManifest,
    wanted: Wanted,
    console: Console,
) -> Manifest | None:
    """Write the artifact of the best model into `best`; without one, remove what an earlier search left there.

    Answers with what a worker will read of it, if one can serve it.
    """
    folder, written = out / BEST, out / WRITTEN
    check_best(out)
    if outcome.best is None or not outcome.met:
        shutil.rmtree(folder, ignore_errors=True)
        written.unlink(missing_ok=True)
        return None
    manifest = _publish(folder, evaluator, outcome, outcome.points[outcome.best], teacher, wanted)
    if manifest is None:
        console.print(f"{folder} holds weights only: no worker serves a model of the teacher's shape", soft_wrap=True)
    written.write_text(_digest(folder))
    return manifest


def _publish(
    folder: Path, evaluator: RecipeEvaluator, outcome: Outcome, best: Point, teacher: TeacherManifest, wanted: Wanted
) -> Manifest | None:
    """The best model as a worker loads it, with its recipe, calibrated on held-out rows; None if none can."""
    assert best.fidelity is not None
    ratio = best.speed[TIMED].ratio / best.engines[FP32][TIMED].ratio
    engine = ChosenEngine(best.engine, round(ratio, 2), outcome.machine.processor)
    return publish_compressed(
        folder,
        evaluator.compressed(best.recipe, best.fidelity),
        parse(best.recipe),
        source_of(evaluator.teacher, teacher),
        evaluator.bench(best.fidelity),
        fingerprint=fingerprint(),
        wanted=wanted,
        created_at=now_iso(),
        choose=lambda _: engine,
    )


def _digest(folder: Path) -> str:
    """Of all names and contents; a signature that was added later is no change."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.name != SIGNATURE:
            found.update(f"{path.relative_to(folder)}\n".encode())
            found.update(path.read_bytes() if path.is_file() else b"")
    return found.hexdigest()
