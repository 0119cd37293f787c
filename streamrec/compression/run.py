"""What `streamrec compress run` does: load the teacher, play the log, carry the recipe out, judge it, write it down."""

from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..clock import now_iso
from ..content.encoders import encoder_of
from ..engine.features.fingerprint import fingerprint
from ..models.artifact import check_replaceable
from ..models.manifest import check_half_life
from ..models.network import use_one_thread
from ..settings import Settings
from ..terminal.output_files import check_writable
from ..terminal.progress import Bars
from ..terminal.times import millis
from ..training.fit import halves
from ..training.log_source import Played
from ..training.model import logits_of
from ..training.run import divide
from .comparison import Judged, judged, nothing_else
from .methods.method import Workbench
from .publish import publish_compressed
from .recipe import Recipe, parse
from .recipe import run as carry_out
from .result import Compressed
from .search.holdout_ledger import EarlierSearch
from .search.trial import Fidelity, Key
from .source import Source, check_log, judged_from, load_source


class Work(NamedTuple):
    """The options of `streamrec compress run`."""

    recipe: str
    played: Played
    teacher: Path
    out: Path
    test_from: str | None
    epochs: int
    max_loss: float
    min_score: float
    seed: int
    search: Path | None  # whose table the recipe is from


class Done(NamedTuple):
    """The compressed model, its comparison with the teacher, and what was written of it."""

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
    earlier_search = None if work.search is None else EarlierSearch(work.search)
    if earlier_search is not None:
        asked_ms = earlier_search.test_from_ms
    check_log(source.log, work.played.log)
    check_half_life(source.half_life_h, str(work.teacher), settings.interest_half_life_h)
    use_one_thread()
    with Bars() as progress:
        rows = work.played.rows(settings, encoder_of(source.encoder), progress)
        earlier, later, _ = divide(rows, judged_from(source, int(rows.at_ms.min()), asked_ms))
        training, held_out = halves(earlier)
        bench = Workbench(training, held_out, logits_of(source.model, training), work.seed, work.epochs)
        doing = progress.add_task("steps", total=len(recipe.steps))
        made = carry_out(recipe, source.model, bench, lambda step: progress.update(doing, description=step, advance=1))
        beside = nothing_else if earlier_search is None else partial(earlier_search.beside, _key(recipe, source, work))
        found = judged(source.model, made, later, work.max_loss, work.seed, beside)
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


def _key(recipe: Recipe, source: Source, work: Work) -> Key:
    """As a search names its models; this one has learned from what is earlier than the test window, all of it."""
    return Key(recipe.text(), Fidelity(work.epochs, 1.0), work.seed, f"run-{source.version}")
