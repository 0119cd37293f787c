"""Successive halving: many recipes for one epoch on a quarter of the rows, the best half for more, and again.

    rung 0   1 epoch,  the latest quarter of the rows    all recipes, in the order they were given
    rung 1   2 epochs, the latest half                   the better half
    rung 2   4 epochs, all rows                          the better half of these

After Jamieson and Talwalkar (AISTATS 2016). Better is not the AUC alone, or only the largest would survive: first the
Pareto layers of stored bytes and loss among the hopeful, and by loss within one. Hopeful is who may still lie within
`slack` budgets of the best of the rung, by the lower bound of its loss; a cheap rung learns less, so its slack is wide.

Each rung has its share of the time. What it did not reach is reported as left out, not lost silently. A trial that has
been made before costs nothing, so going on after an interruption ends where an uninterrupted search would have.

A trial cannot be stopped halfway, so one that would end long after its time is not begun. How long it takes is
foretold by the same recipe's last trial: learning costs epochs x rows. A beginning that other recipes share counts as
if nobody else had paid for it, for at the next fidelity it may be this recipe that does.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ...clock import monotonic_s
from ...errors import DataError
from .pareto import layers
from .trial import Fidelity, Trial

OVERRUN = 0.1  # of the whole time, that a trial may take longer than its rung
LEAST = 4  # trials that survive a rung, if there are as many


class Rung(NamedTuple):
    """One round of halving: what a trial may cost in it, and who may stay."""

    fidelity: Fidelity
    until: float  # share of the time after which no new trial begins
    slack: float  # budgets behind the best that leave hope


RUNGS = (
    Rung(Fidelity(1, 0.25), until=0.35, slack=10),
    Rung(Fidelity(2, 0.5), until=0.6, slack=5),
    Rung(Fidelity(4, 1.0), until=0.85, slack=2),
)


class Halved(NamedTuple):
    """What halving has left and what it has made: finalists, all trials, and recipes it had no time for."""

    finalists: list[Trial]  # of the last rung that was reached, best first
    tried: list[Trial]  # all, of all rungs
    left_out: list[str]  # recipes that time did not reach, at any rung they were due


class TimeBudget:
    """How much of a search's time is gone; it runs from when it is made. DataError for no time."""

    def __init__(self, seconds: float) -> None:
        if not seconds > 0:
            raise DataError(f"a search was given {seconds:g} s; expected more than none")
        self._seconds, self._start = seconds, monotonic_s()

    def used(self) -> float:
        """Share of the time that is gone; above 1 when it is over."""
        return self.seconds() / self._seconds

    def seconds(self) -> float:
        """Seconds since the search began."""
        return monotonic_s() - self._start

    def fits(self, until: float, last: Trial | None, fidelity: Fidelity) -> bool:
        """Whether a trial may begin that should end at the share `until`, by the recipe's last one at another cost."""
        expected = 0.0
        if last is not None:
            epochs = fidelity.epochs * fidelity.share / max(last.fidelity.epochs * last.fidelity.share, 1e-3)
            expected = (last.seconds + last.shared_s) * epochs / self._seconds
        return self.used() <= until and self.used() + expected <= until + OVERRUN


def halve(
    recipes: Sequence[str],
    try_one: Callable[[str, Fidelity], Trial],
    budget: float,
    time: TimeBudget,
    rungs: Sequence[Rung] = RUNGS,
    is_known: Callable[[str, Fidelity], bool] = lambda *_: False,
) -> Halved:
    """Run the rungs, each on the better half of the one before.

    One trial of the first rung is made in any case, and every one whose result is known already. A rung into which
    nothing fits is not begun: the finalists are then those of the one before.
    """
    due, tried, left_out, ranked = list(recipes), list[Trial](), list[str](), list[Trial]()
    for rung in rungs:
        found, last = list[Trial](), {trial.recipe: trial for trial in tried}
        for recipe in due:
            is_first = not tried and not found
            if is_first or is_known(recipe, rung.fidelity) or time.fits(rung.until, last.get(recipe), rung.fidelity):
                found.append(try_one(recipe, rung.fidelity))
            else:
                left_out.append(recipe)
        tried += found
        ranked = ranking(found, rung.slack * budget) or ranked
        due = [trial.recipe for trial in ranked[: max(LEAST, math.ceil(len(ranked) / 2))]]
        if not found:
            break
    return Halved(ranked, tried, left_out)


def ranking(trials: Sequence[Trial], hope: float) -> list[Trial]:
    """Trials by Pareto layer and loss, those without hope after them; refused ones are left out."""
    able = [trial for trial in trials if not trial.refused]
    if not able:
        return []
    best = min(trial.loss for trial in able)
    hopeful = [trial for trial in able if trial.lower_95 - max(best, 0.0) <= hope]
    layer = layers(np.array([[trial.stored_bytes, trial.loss] for trial in hopeful]).reshape(-1, 2))
    ordered = [t for _, t in sorted(zip(layer, hopeful, strict=True), key=lambda pair: (pair[0], pair[1].loss))]
    kept = {trial.recipe for trial in hopeful}
    return ordered + sorted((t for t in able if t.recipe not in kept), key=lambda trial: trial.loss)
