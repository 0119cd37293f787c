"""A search from its splits to its outcome: probe layers, halve recipes, select finalists, judge them.

The validation window decides who is tried on and in which order the finalists are preferred; the test window is looked
at after that, for the finalists alone. The best is the first in order of preference whose verdict there is `pass`, of
those that a worker can serve if there is one. Verdicts of all finalists, and of all that were judged in this folder
before, hold together (verdict.py): who chooses among nine models, or searches again, is not likelier to be wrong.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ...models.machine import this_machine
from ...training.ladder import TEACHER, Ranking, ladder
from ...training.ladder import judged as judged_beside
from ...training.model import logits_of
from .evaluation import Judging
from .final_selection import Contender, final_selection
from .halving import RUNGS, Halved, Rung, TimeBudget, halve
from .holdout_ledger import HoldoutLedger
from .outcome import Outcome, Point
from .recipe_evaluator import RecipeEvaluator
from .sensitivity import UNTUNED, by_promise, probe
from .space import COMPARED, QUANTIZED
from .splits import usable_impressions
from .trial import Fidelity, Folder, Request, Trial
from .trials import Trials

FINALISTS = 6
PROBE_UNTIL = 0.1  # of the time, after which no more layers are probed


class Progress(NamedTuple):
    """Callbacks of a search, for a progress bar: each trial, and each step of final selection and verdicts."""

    trial: Callable[[Trial], object] = lambda _: None
    stage: Callable[[str], object] = lambda _: None


SILENT = Progress()


def search(
    evaluator: RecipeEvaluator,
    folder: Folder,
    request: Request,
    recipes: Sequence[str],
    *,
    seconds: float,
    rungs: Sequence[Rung] = RUNGS,
    progress: Progress = SILENT,
) -> Outcome:
    """Find the best recipe within `request.max_loss` in about so many seconds."""
    time, cut = TimeBudget(seconds), evaluator.cut
    teacher_logits = logits_of(evaluator.teacher, cut.validation)
    trials = Trials(evaluator.evaluate, folder, cut.validation, teacher_logits, request, progress.trial)
    probes = probe(evaluator.layers(), trials.one, lambda: time.used() > PROBE_UNTIL)
    halved = halve(by_promise(recipes, probes), trials.one, request.max_loss, time, rungs, is_known=trials.knows)
    selected = final_selection(evaluator, recipes_for_final_selection(halved), request, progress.stage)
    judged = Judging(evaluator, request, HoldoutLedger(folder)).all(selected.contenders, progress.stage)
    found, nearest = best(judged.points), closest(judged.points)
    shown = found if found is not None else nearest
    progress.stage("ladder")
    return Outcome(
        request=request,
        machine=this_machine(),
        impressions={name: usable_impressions(rows) for name, rows in cut._asdict().items()},
        spans_ms={name: (int(rows.at_ms.min()), int(rows.at_ms.max())) for name, rows in cut._asdict().items()},
        teacher=judged.teacher,
        teacher_head=selected.head,
        points=judged.points,
        best=found,
        references_only=not any(evaluator.is_servable(recipe) for recipe in recipes),
        closest=nearest,
        probes=probes,
        trials=trials.made,
        left_out=halved.left_out,
        slice_impressions=judged.slice_impressions,
        ladder=_ladder(evaluator, None if shown is None else selected.contenders[shown], request.seed),
        seconds=time.seconds(),
    )


def _ladder(evaluator: RecipeEvaluator, contender: Contender | None, seed: int) -> list[Ranking]:
    """The ladder of the test window beside a contender, or without one beside the teacher."""
    cut = evaluator.cut
    scores = {name: score(cut.test) for name, score in ladder(cut.train, cut.held_out, seed).scores.items()}
    scores[TEACHER] = teacher = logits_of(evaluator.teacher, cut.test)
    return judged_beside(scores, teacher if contender is None else contender.logits(cut.test), cut.test, seed)


def recipes_for_final_selection(halved: Halved) -> list[tuple[str, Fidelity]]:
    """The finalists, and the usual ways at the highest fidelity they were tried at: figures to compare with."""
    latest = {QUANTIZED: UNTUNED} | {trial.recipe: trial.fidelity for trial in halved.tried if not trial.refused}
    names = [trial.recipe for trial in halved.finalists[:FINALISTS]]
    compared = [recipe for recipe in COMPARED if recipe in latest and recipe not in names]
    return [(recipe, latest[recipe]) for recipe in names + compared]


def best(points: Sequence[Point]) -> int | None:
    """The first that passed, in order of preference; one that can be served before any other."""
    passed = [number for number, point in enumerate(points) if point.verdict and point.verdict.outcome == "pass"]
    return min(passed, key=lambda number: (not points[number].servable, number), default=None)


def closest(points: Sequence[Point]) -> int | None:
    """The one with the smallest upper bound, nearest to a budget that nothing met: of the servable, if there are."""
    bounds = {
        number: (not point.servable, point.verdict.upper_95) for number, point in enumerate(points) if point.verdict
    }
    return min(bounds, key=lambda number: bounds[number], default=None)
