"""What `streamrec train` does: open the log, play it into rows, train, save, compare."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..clock import now_iso
from ..content.encoder import Encoder
from ..content.encoders import encoder_of
from ..engine.features.fingerprint import fingerprint
from ..errors import DataError
from ..models.artifact import check_replaceable, save
from ..models.artifact import load as load_artifact
from ..settings import Settings
from ..terminal.output_files import check_writable
from ..terminal.progress import Bars
from ..terminal.times import millis, utc_minute
from .comparison import Table, compare, compare_teacher
from .fit import fit, fit_teacher
from .log_source import Played
from .loop import Progress as Epoch
from .loop import Running
from .model import check_device
from .rows import Rows
from .teacher_folder import save as save_teacher

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
    min_score: float

    @property
    def checkpoint(self) -> Path:
        """Beside the folder, which is replaced as a whole."""
        return self.out.with_name(f"{self.out.name}.checkpoint.safetensors")

    def running(self, bar: "_Bar") -> Running:
        """How the model that is asked for is trained; one beside it has no checkpoint."""
        return Running(progress=bar, device=self.device, save_to=self.checkpoint, resume=self.resume)


class Done(NamedTuple):
    """What a training has learned from, what it wrote, and how it compares with its baselines."""

    trained_on: int  # impressions
    tested_on: int
    version: str
    encoder: str
    table: Table


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
        version, table = train(options, earlier, later, cut_ms, encoder, settings, progress)
    options.checkpoint.unlink(missing_ok=True)
    trained_on, tested_on = (len(np.unique(part.impression)) for part in (earlier, later))
    return Done(trained_on, tested_on, version, settings.encoder, table)


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
) -> tuple[str, Table]:
    fitted = fit(earlier, options.seed, options.epochs, **options.running(_Bar(progress, "epochs", options.epochs)))
    save(
        options.out,
        **fitted.parts(earlier.x),
        name=f"{options.played.log}-ranker",
        space_id=encoder.space_id,
        encoder=settings.encoder,
        fingerprint=fingerprint(),
        min_score=options.min_score,
        created_at=now_iso(),
        log=options.played.log,
        test_from_ms=cut_ms,
        half_life_h=settings.interest_half_life_h,
    )
    artifact = load_artifact(options.out, expected_space_id=encoder.space_id, expected_fingerprint=fingerprint())
    return artifact.manifest.version, compare(later, artifact, options.seed)


def _teacher(
    options: Options, earlier: Rows, later: Rows, cut_ms: int, encoder: Encoder, settings: Settings, progress: Bars
) -> tuple[str, Table]:
    bar = _Bar(progress, "epochs of the teacher", options.epochs)
    fitted = fit_teacher(earlier, options.seed, options.epochs, **options.running(bar))
    manifest = save_teacher(
        options.out,
        fitted.teacher,
        log=options.played.log,
        test_from_ms=cut_ms,
        seed=options.seed,
        settings=settings,
        space_id=encoder.space_id,
        metrics=fitted.metrics,
    )
    beside = _Bar(progress, "epochs of the ranker beside it", options.epochs)
    ranker = fit(earlier, options.seed, options.epochs, progress=beside, device=options.device)
    return manifest.version, compare_teacher(later, fitted.teacher, ranker.network, options.seed)


class _Bar:
    """A progress bar that training moves once an epoch."""

    def __init__(self, progress: Bars, name: str, epochs: int) -> None:
        self._progress, self._name = progress, name
        self._task = progress.add_task(name, total=epochs)

    def __call__(self, epoch: Epoch) -> None:
        losses = f"{self._name}, loss {epoch.loss:.4f}, held out {epoch.held_out_loss:.4f}"
        self._progress.update(self._task, completed=epoch.epoch, description=losses)
