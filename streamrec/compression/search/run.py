"""What `streamrec compress search` does: play the log, cut it, get a teacher, search, write everything down."""

from pathlib import Path
from typing import NamedTuple

import msgspec
from rich.console import Console

from ...clock import monotonic_s
from ...content.encoder import Encoder
from ...content.encoders import encoder_of
from ...engine.features.fingerprint import fingerprint
from ...models.manifest import check_half_life
from ...models.network import use_one_thread
from ...settings import Settings
from ...terminal.output_files import check_writable
from ...terminal.progress import Bars
from ...terminal.times import millis
from ...training.log_source import Played
from ...training.rows import Rows
from ...training.teacher_folder import Saved, load, read_manifest, save
from ...training.threshold import Wanted, threshold_of
from ..recipe import parse
from ..source import check_log
from .best import check_best, write_best
from .outcome import Outcome
from .recipe_evaluator import ModelCache, RecipeEvaluator
from .search import Progress, search
from .sensitivity import UNTUNED
from .space import recipes as built_in
from .splits import Splits, before_validation, data_hash, split_after_teacher, split_by_time
from .summary import percent
from .teacher import EPOCHS, fit_within
from .trial import Folder, Request, Trial, check_folder

LEAST_SHARE = 0.5  # of the budget, for the search itself, however long a teacher took to train
OWN = "teacher"  # folder of a teacher trained here


class Options(NamedTuple):
    """The options of `streamrec compress search`."""

    played: Played
    out: Path
    seconds: float
    max_loss: float
    teacher: Path | None
    test_from: str | None
    seed: int
    resume: bool
    recipes: tuple[str, ...]
    wanted: Wanted


def run(options: Options, settings: Settings, console: Console) -> Outcome:
    """Search, print progress on stderr, and write everything into the folder; answers what search.json holds."""
    recipes = [parse(text).text() for text in options.recipes or built_in()]  # what is misspelt is said before anything
    check_folder(options.out, resume=options.resume)
    check_writable(options.out, is_folder=True)
    check_best(options.out)
    if options.teacher is not None:
        told = read_manifest(options.teacher)
        check_half_life(told.half_life_h, str(options.teacher), settings.interest_half_life_h)
        settings = settings.changed(encoder=told.encoder)
    encoder = encoder_of(settings.encoder)
    use_one_thread()
    with Bars(console) as progress:
        rows = options.played.rows(settings, encoder, progress)
        start = monotonic_s()
        test_from_ms = millis("--test-from", options.test_from) if options.test_from else None
        saved, cut = _teacher(options, rows, test_from_ms, encoder, settings, progress, console)
        data = f"{data_hash(rows)}-{saved.manifest.version}"
        request = Request(options.played.log, data, options.seed, options.max_loss, test_from_ms)
        folder = Folder(options.out, request, resume=options.resume)
        evaluator = RecipeEvaluator(
            saved.teacher, cut, options.seed, ModelCache(folder, saved.teacher, data, options.seed)
        )
        outcome = search(
            evaluator,
            folder,
            request,
            recipes,
            seconds=max(options.seconds - (monotonic_s() - start), options.seconds * LEAST_SHARE),
            progress=_shown_in(progress),
        )
    write(folder, outcome, console)
    manifest = write_best(options.out, evaluator, outcome, saved.manifest, options.wanted, console)
    if manifest is None or outcome.best is None:
        return outcome
    best = outcome.points[outcome.best]
    logits = evaluator.compressed(best.recipe, best.fidelity or UNTUNED).logits(cut.test)
    outcome = msgspec.structs.replace(outcome, threshold=threshold_of(manifest, logits, cut.test))
    write(folder, outcome, console)
    return outcome


def _teacher(
    options: Options,
    rows: Rows,
    test_from_ms: int | None,
    encoder: Encoder,
    settings: Settings,
    progress: Bars,
    console: Console,
) -> tuple[Saved, Splits]:
    """The one given, the one trained here before, or one trained now; and windows it has not learned from."""
    checks = {"expected_space_id": encoder.space_id, "expected_fingerprint": fingerprint()}
    if options.teacher is not None:
        saved = load(options.teacher, **checks)
        check_log(saved.manifest.log, options.played.log)
        return saved, split_after_teacher(rows, saved.manifest.test_from_ms, test_from_ms)
    cut, own = split_by_time(rows, test_from_ms), options.out / OWN
    if not (options.resume and own.exists()):
        learning = progress.add_task("epochs of the teacher", total=EPOCHS)
        fitted, stopped = fit_within(
            before_validation(rows, cut),
            options.seed,
            options.seconds * (1 - LEAST_SHARE),
            options.out,
            lambda epoch: progress.update(learning, completed=epoch),
        )
        if stopped:
            said = (
                f"the teacher was stopped after {stopped} of {EPOCHS} epochs, to leave half of --budget to the search;"
            )
            console.print(said, "`streamrec train --teacher` has no such limit", soft_wrap=True)
        save(
            own,
            fitted.teacher,
            log=options.played.log,
            test_from_ms=int(cut.validation.at_ms.min()),
            seed=options.seed,
            settings=settings,
            space_id=encoder.space_id,
            metrics=fitted.metrics,
        )
    return load(own, **checks), cut


def _shown_in(progress: Bars) -> Progress:
    """One line that moves: how many trials, the latest of them, and the stage after that."""
    task, trials = progress.add_task("search", total=None), [0]

    def trial(made: Trial) -> None:
        trials[0] += 1
        loss = made.refused or f"loss {percent(made.loss)} (at most {percent(made.upper_95)})"
        progress.update(
            task, description=f"trial {trials[0]}: {made.recipe}, {made.fidelity.epochs} epochs: {loss}"[:150]
        )

    return Progress(trial, lambda stage: progress.update(task, description=f"final selection: {stage}"[:150]))


def write(folder: Folder, outcome: Outcome, console: Console) -> None:
    """search.json, and the picture if there is something to draw with."""
    folder.write("search.json", msgspec.json.format(msgspec.json.encode(outcome), indent=1))
    try:
        from ..report.pareto_figure import draw  # noqa: PLC0415 - an extra
        from ..report.svg import png  # noqa: PLC0415
    except ModuleNotFoundError as error:
        console.print(f"no picture: {error.name} is missing; pip install 'streamrec[report]'", soft_wrap=True)
        return
    if outcome.points:
        folder.write("pareto.png", png(draw(outcome)))
