"""What `streamrec compress run` does: load the teacher, play the log, carry the recipe out, judge it, write it down."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..clock import now_iso
from ..compression.judged import Judged, judged
from ..compression.method import Workbench
from ..compression.publish import publish_compressed
from ..compression.recipe import parse
from ..compression.recipe import run as carry_out
from ..compression.result import Compressed
from ..compression.source import check_log, judged_from, load_source
from ..content.encoders import encoder_of
from ..ranking.artifact import check_replaceable
from ..ranking.features import fingerprint
from ..ranking.network import use_one_thread
from ..settings import Settings
from ..simulation.simulated_log import SimulatedLog
from ..training.fit import halves
from ..training.model import logits_of
from ..training.negatives import with_negatives
from ..training.rows import rows_of
from .bars import Bars
from .logs import open_log
from .outputs import check_writable
from .train_run import divide, millis


class Work(NamedTuple):
    """The options of the command."""

    recipe: str
    log: str
    path: Path | None
    teacher: Path
    out: Path
    test_from: str | None
    epochs: int
    max_loss: float
    min_score: float
    seed: int
    users: int  # of a simulated log


class Done(NamedTuple):
    """What came of it."""

    made: Compressed
    found: Judged
    key: str
    artifact_bytes: int  # of all its files
    version: str | None  # of the artifact; None where a teacher stays a teacher
    impressions: int  # judged on


def run(work: Work, settings: Settings) -> Done:
    """All of it, with progress bars on stderr; a recipe that is not understood is refused before anything is read."""
    check_replaceable(work.out)
    check_writable(work.out)
    recipe, source = parse(work.recipe), load_source(work.teacher)
    asked_ms = None if work.test_from is None else millis("--test-from", work.test_from)
    check_log(source.log, work.log)
    use_one_thread()
    simulated = SimulatedLog(work.seed, work.users) if work.log == "simulated" else None
    log = simulated or with_negatives(open_log(work.log, work.path, work.seed), work.seed)
    settings = settings.changed(max_articles=max(settings.max_articles, log.summary.articles))
    with Bars() as progress:
        playing = progress.add_task("features", total=log.summary.steps)
        encoder = encoder_of(source.encoder)
        rows = rows_of(log, settings, encoder, lambda done: progress.update(playing, completed=done))
        earlier, later, _ = divide(rows, judged_from(source, int(rows.at_ms.min()), asked_ms))
        training, held_out = halves(earlier)
        bench = Workbench(training, held_out, logits_of(source.model, training), work.seed, work.epochs)
        doing = progress.add_task("steps", total=len(recipe.steps))
        made = carry_out(recipe, source.model, bench, lambda step: progress.update(doing, description=step, advance=1))
        found = judged(source.model, made, later, work.max_loss, work.seed)
    written = publish_compressed(
        work.out,
        made,
        recipe,
        source,
        bench,
        fingerprint=fingerprint(),
        min_score=work.min_score,
        created_at=now_iso(),
    )
    version = written.manifest.version if written.manifest else None
    artifact_bytes = sum(path.stat().st_size for path in work.out.iterdir())
    return Done(made, found, recipe.key(), artifact_bytes, version, len(np.unique(later.impression)))
