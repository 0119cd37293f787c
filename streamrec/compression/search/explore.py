"""The part of a search that looks at the validation window: sensitivity of layers, then halving.

Probing stops at PROBE_UNTIL of the time.
"""

from collections.abc import Sequence
from typing import NamedTuple

from .halving import RUNGS, Halved, Rung, halve
from .sensitivity import Probe, by_promise, probe
from .time_budget import TimeBudget
from .trials import Trials

PROBE_UNTIL = 0.1


class Explored(NamedTuple):
    """What a search knows before the finals: how layers bear compression, and what halving has left."""

    probes: list[Probe]
    halved: Halved


def explore(
    trials: Trials,
    layers: Sequence[str],
    recipes: Sequence[str],
    budget: float,
    time: TimeBudget,
    rungs: Sequence[Rung] = RUNGS,
) -> Explored:
    """Probe the teacher's layers, order the recipes by what that promises, and halve them."""
    probes = probe(layers, trials.one, lambda: time.used() > PROBE_UNTIL)
    promising = by_promise(recipes, probes)
    return Explored(probes, halve(promising, trials.one, budget, time, rungs, is_known=trials.knows))
