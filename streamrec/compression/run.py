"""What `streamrec compress run` does: load the teacher, play the log, carry the recipe out, judge it, write it down."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from msgspec.structs import asdict
from torch import nn

from ..clock import now_iso
from ..content.encoders import encoder_of
from ..engine.features.fingerprint import fingerprint
from ..engine.predictor import COLUMN_NAMES
from ..models.artifact import check_replaceable
from ..models.manifest import check_half_life
from ..models.network import use_one_thread
from ..settings import Settings
from ..terminal.output_files import check_writable
from ..terminal.progress import Bars
from ..terminal.times import millis
from ..training.evaluate import Quality
from ..training.fit import halves
from ..training.ladder import TEACHER, Ranking, judged, ladder
from ..training.log_source import Played
from ..training.model import logits_of
from ..training.rows import Rows
from ..training.run import divide
from ..training.threshold import Threshold, Wanted, threshold_of
from .comparison import Comparison, compare
from .methods.method import Workbench
from .publish import publish_compressed
from .recipe import Recipe, parse
from .recipe import run as carry_out
from .result import Compressed
from .search.holdout_ledger import EarlierSearch
from .search.trial import Fidelity, Key
from .source import Source, check_log, judged_from, load_source


class Options(NamedTuple):
    """The options of `streamrec compress run`."""

    recipe: str
    played: Played
    teacher: Path
    out: Path
    test_from: str | None
    epochs: int
    max_loss: float
    wanted: Wanted
    seed: int
    search: Path | None  # whose table the recipe is from


class Tried(NamedTuple):
    """The compressed model, its comparison with what it was made of, and the ladder."""

    made: Compressed
    found: Comparison
    ladder: list[Ranking]


class Done(NamedTuple):
    """The compressed model, its comparison with the teacher, and what was written of it."""

    made: Compressed
    found: Comparison
    ladder: list[Ranking]
    threshold: Threshold | None  # of what can be served
    key: str
    artifact_bytes: int  # of all its files
    version: str | None  # of the artifact; None where a teacher stays a teacher
    impressions: int  # judged on

    def summary(self) -> dict[str, Any]:
        """What a script reads of it."""
        made, found = self.made, self.found
        return {
            "recipe": made.recipe,
            "key": self.key,
            "version": self.version,
            "tested_on": self.impressions,
            "size": found.size._asdict(),
            "teacher_size": found.teacher_size._asdict(),
            "artifact_bytes": self.artifact_bytes,
            "size_ratio": round(found.teacher_size.file_bytes / found.size.file_bytes, 2),
            "quality": {name: of.rounded() for name, of in found.quality.items()},
            "verdict": {name: verdict.outcome for name, verdict in found.verdicts.items()},
            "threshold": self.threshold and asdict(self.threshold),
            "together": found.verdicts["auc"].together,
            "layers": [
                {"step": step.step, "name": layer.name, "sparsity": layer.sparsity, "error": layer.error}
                for step in made.log
                for layer in step.layers
            ],
        }


def run(options: Options, settings: Settings) -> Done:
    """All of it, with progress bars on stderr; a recipe that is not understood is refused before anything is read."""
    check_replaceable(options.out)
    check_writable(options.out)
    recipe, source = parse(options.recipe), load_source(options.teacher)
    asked_ms = None if options.test_from is None else millis("--test-from", options.test_from)
    earlier_search = None if options.search is None else EarlierSearch(options.search)
    if earlier_search is not None:
        asked_ms = earlier_search.test_from_ms
    check_log(source.log, options.played.log)
    check_half_life(source.half_life_h, str(options.teacher), settings.interest_half_life_h)
    use_one_thread()
    with Bars() as progress:
        rows = options.played.rows(settings, encoder_of(source.encoder), progress)
        earlier, later, _ = divide(rows, judged_from(source, int(rows.at_ms.min()), asked_ms))
        training, held_out = halves(earlier)
        bench = Workbench(training, held_out, logits_of(source.model, training), options.seed, options.epochs)
        tried = try_out(
            recipe,
            source.model,
            bench,
            later,
            options.max_loss,
            progress,
            others=lambda ours: earlier_search.beside(_key(recipe, source, options), ours) if earlier_search else [],
        )
    manifest = publish_compressed(
        options.out,
        tried.made,
        recipe,
        source,
        bench,
        fingerprint=fingerprint(),
        wanted=options.wanted,
        created_at=now_iso(),
    )
    threshold = threshold_of(manifest, tried.made.logits(later), later) if manifest else None
    return done(tried, recipe, options.out, later, manifest.version if manifest else None, threshold)


def try_out(
    recipe: Recipe,
    model: nn.Module,
    bench: Workbench,
    later: Rows,
    max_loss: float,
    progress: Bars,
    *,
    others: Callable[[Quality], list[Quality]] = lambda _: [],
    names: Sequence[str] = COLUMN_NAMES,
) -> Tried:
    """Carry a recipe out on a model and judge it on later rows, beside the model and the ladder."""
    doing = progress.add_task("steps", total=len(recipe.steps))
    made = carry_out(recipe, model, bench, lambda step: progress.update(doing, description=step, advance=1))
    found = compare(model, made, later, max_loss, bench.seed, others)
    progress.add_task("ladder", total=None)
    rungs = ladder(bench.rows, bench.held_out, bench.seed, names=names)
    scores = {name: score(later) for name, score in rungs.scores.items()} | {TEACHER: logits_of(model, later)}
    return Tried(made, found, judged(scores, made.logits(later), later, bench.seed))


def done(
    tried: Tried, recipe: Recipe, out: Path, later: Rows, version: str | None, threshold: Threshold | None = None
) -> Done:
    """What is said of it once the folder is written."""
    artifact_bytes = sum(path.stat().st_size for path in out.iterdir())
    return Done(*tried, threshold, recipe.key(), artifact_bytes, version, len(np.unique(later.impression)))


def _key(recipe: Recipe, source: Source, options: Options) -> Key:
    """As a search names its models; this one has learned from what is earlier than the test window, all of it."""
    return Key(recipe.text(), Fidelity(options.epochs, 1.0), options.seed, f"run-{source.version}")
