"""What `streamrec train` does: open the log, play it into rows, train, save, compare."""

import contextlib
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..clock import now_iso
from ..content.encoder import Encoder
from ..content.encoders import encoder_of
from ..engine.features.fingerprint import fingerprint
from ..errors import ArtifactError, DataError
from ..models.admission import chosen
from ..models.artifact import check_replaceable, save
from ..models.engines import engine_of, int8_name
from ..settings import Settings
from ..terminal.output_files import check_writable
from ..terminal.progress import Bars
from ..terminal.times import millis, utc_minute
from .fit import fit_teacher, fitted, halves
from .ladder import INT8, TEACHER, Ranking, best_served, judged, ladder
from .log_source import Played
from .loop import Progress as Epoch
from .loop import Running
from .model import check_device, logits_of
from .rows import Rows
from .teacher_folder import save as save_teacher
from .threshold import Threshold, Wanted, threshold_of

TEST_SHARE = 0.2  # of the candidates, the last ones


class Options(NamedTuple):
    """The options of `streamrec train`."""

    played: Played
    out: Path
    teacher: bool
    test_from: str | None
    epochs: int
    seed: int
    device: str
    resume: bool
    wanted: Wanted

    @property
    def checkpoint(self) -> Path:
        """Beside the folder, which is replaced as a whole."""
        return self.out.with_name(f"{self.out.name}.checkpoint.safetensors")

    def running(self, bar: "_Bar") -> Running:
        """How the model that is asked for is trained; one beside it has no checkpoint."""
        return Running(progress=bar, device=self.device, save_to=self.checkpoint, resume=self.resume)


class Learned(NamedTuple):
    """The folder that was written, which rung of the ladder is in it, and the ladder."""

    version: str
    model: str
    rungs: list[Ranking]
    threshold: Threshold | None = None  # of a ranker


class Done(NamedTuple):
    """What a training has learned from, what it wrote, and how that compares with the ladder."""

    trained_on: int  # impressions
    tested_on: int
    encoder: str
    learned: Learned


def run(options: Options, settings: Settings) -> Done:
    """Train, compare and write a ranker or a teacher, with progress bars on stderr."""
    check_device(options.device)
    check_replaceable(options.out)
    check_writable(options.out)
    test_from_ms = millis("--test-from", options.test_from) if options.test_from else None
    encoder = encoder_of(settings.encoder)
    with Bars() as progress:
        rows = options.played.rows(settings, encoder, progress)
        earlier, later, cut_ms = divide(rows, test_from_ms)
        train = _teacher if options.teacher else _ranker
        learned = train(options, earlier, later, cut_ms, encoder, settings, progress)
    options.checkpoint.unlink(missing_ok=True)
    trained_on, tested_on = (len(np.unique(part.impression)) for part in (earlier, later))
    return Done(trained_on, tested_on, settings.encoder, learned)


def divide(rows: Rows, test_from_ms: int | None) -> tuple[Rows, Rows, int]:
    """Rows before a time (default: four fifths of them) and from it on, and the time; DataError if a part is empty."""
    cut_ms = int(np.quantile(rows.at_ms, 1 - TEST_SHARE)) if test_from_ms is None else test_from_ms
    earlier, later = rows.take(rows.at_ms < cut_ms), rows.take(rows.at_ms >= cut_ms)
    if not len(earlier.x) or not len(later.x):
        first, last = (utc_minute(at_ms) for at_ms in (rows.at_ms.min(), rows.at_ms.max()))
        raise DataError(
            f"nothing was shown {'from' if len(earlier.x) else 'before'} {utc_minute(cut_ms)} on, the log shows"
            f" from {first} to {last}; expected impressions on both sides: choose another --test-from"
        )
    return earlier, later, cut_ms


def _ranker(
    options: Options, earlier: Rows, later: Rows, cut_ms: int, encoder: Encoder, settings: Settings, progress: Bars
) -> Learned:
    training, held_out = halves(earlier)
    found = ladder(training, held_out, options.seed, options.epochs, **options.running(_Bar(progress, options.epochs)))
    name = best_served(found, held_out)
    parts = fitted(found.networks[name], held_out, options.seed)
    manifest = save(
        options.out,
        **parts.parts(training.x),
        name=f"{options.played.log}-ranker",
        space_id=encoder.space_id,
        encoder=settings.encoder,
        fingerprint=fingerprint(),
        min_score=options.wanted.threshold(parts.held_out, earlier),
        created_at=now_iso(),
        log=options.played.log,
        test_from_ms=cut_ms,
        half_life_h=settings.interest_half_life_h,
        choose=chosen,
    )
    ours, scores = found.scores[name](later), {rung: score(later) for rung, score in found.scores.items()}
    with contextlib.suppress(ArtifactError):  # the model is trained and written: its table goes without
        scores[INT8] = engine_of(int8_name(), found.networks[name]).logits(later.x)
    rungs = judged(scores, ours, later, options.seed)
    return Learned(manifest.version, name, rungs, threshold_of(manifest, ours, later))


def _teacher(
    options: Options, earlier: Rows, later: Rows, cut_ms: int, encoder: Encoder, settings: Settings, progress: Bars
) -> Learned:
    bar = _Bar(progress, options.epochs, "teacher")
    learned = fit_teacher(earlier, options.seed, options.epochs, **options.running(bar))
    manifest = save_teacher(
        options.out,
        learned.teacher,
        log=options.played.log,
        test_from_ms=cut_ms,
        seed=options.seed,
        settings=settings,
        space_id=encoder.space_id,
        metrics=learned.metrics,
    )
    found = ladder(
        *halves(earlier), options.seed, options.epochs, progress=_Bar(progress, options.epochs), device=options.device
    )
    scores = {rung: score(later) for rung, score in found.scores.items()}
    scores[TEACHER] = ours = logits_of(learned.teacher, later)
    return Learned(manifest.version, TEACHER, judged(scores, ours, later, options.seed))


class _Bar:
    """A progress bar that training moves once an epoch."""

    def __init__(self, progress: Bars, epochs: int, name: str = "wide ranker") -> None:
        self._progress, self._name = progress, name
        self._task = progress.add_task(f"epochs of the {name}", total=epochs)

    def __call__(self, epoch: Epoch) -> None:
        losses = f"epochs of the {self._name}, loss {epoch.loss:.4f}, held out {epoch.held_out_loss:.4f}"
        self._progress.update(self._task, completed=epoch.epoch, description=losses)
