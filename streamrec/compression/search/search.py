"""A search from windows to outcome: explore, finals, verdicts, each with what the one before it has left.

The validation window decides who is tried on and in which order the finalists are preferred; the test window is looked
at after that, for the finalists alone. The best is the first in order of preference whose verdict there is `pass`, of
those that a worker can serve if there is one. Verdicts of all finalists, and of all that were judged in this folder
before, hold together (verdict.py): who chooses among nine models, or searches again, is not likelier to be wrong.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from ...training.model import logits_of
from .evaluation import Judging, paces
from .explore import explore
from .final_selection import finals
from .halving import RUNGS, Halved, Rung
from .holdout_ledger import HoldoutLedger
from .machine import this_machine
from .outcome import Outcome, Point
from .recipe_evaluator import OfRecipes
from .sensitivity import UNTUNED
from .space import COMPARED, QUANTIZED
from .splits import usable_impressions
from .time_budget import TimeBudget
from .trial import Fidelity, Folder, Request, Trial
from .trials import Trials

FINALISTS = 6


class Told(NamedTuple):
    """Callbacks of a search: for a progress bar."""

    trial: Callable[[Trial], object] = lambda _: None
    stage: Callable[[str], object] = lambda _: None


SILENT = Told()


def search(
    of: OfRecipes,
    folder: Folder,
    request: Request,
    recipes: Sequence[str],
    *,
    seconds: float,
    rungs: Sequence[Rung] = RUNGS,
    told: Told = SILENT,
) -> Outcome:
    """Find the best recipe within `request.max_loss` in about so many seconds."""
    time = TimeBudget(seconds)
    made = list[Trial]()

    def tell(trial: Trial) -> None:
        made.append(trial)
        told.trial(trial)

    trials = Trials(
        of,
        folder,
        of.cut.validation,
        logits_of(of.teacher, of.cut.validation),
        data=request.data,
        seed=request.seed,
        budget=request.max_loss,
        told=tell,
    )
    explored = explore(trials, of.layers(), recipes, request.max_loss, time, rungs)
    chosen = chosen_for_finals(explored.halved)
    timed = finals(of, chosen, request.max_loss, request.seed, told.stage)
    found = Judging(of, request, HoldoutLedger(folder)).all(timed.contenders, told.stage)
    return Outcome(
        request=request,
        machine=this_machine(),
        impressions={name: usable_impressions(rows) for name, rows in of.cut._asdict().items()},
        spans_ms={name: (int(rows.at_ms.min()), int(rows.at_ms.max())) for name, rows in of.cut._asdict().items()},
        teacher=found.teacher,
        teacher_head=paces(timed.head),
        points=found.points,
        best=best(found.points),
        references_only=not any(of.is_servable(recipe) for recipe in recipes),
        closest=closest(found.points),
        probes=explored.probes,
        trials=made,
        left_out=explored.halved.left_out,
        slice_impressions=found.slice_impressions,
        seconds=time.seconds(),
    )


def chosen_for_finals(halved: Halved) -> list[tuple[str, Fidelity]]:
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
