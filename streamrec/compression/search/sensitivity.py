"""How much each layer of the teacher minds being compressed alone: cheap, and it says what to try first.

Every (method, layer) is applied without fine-tuning and judged on the validation window. A recipe's predicted loss is
the sum, over its steps that have been probed, of what the layers lost (losses of small changes add up to first order),
scaled by its strength. Recipes that begin with a student do not stem from the teacher's weights: nothing is predicted
for them, they keep their place. A layer that alone costs more than the budget is named in the report.
"""

import re
from collections.abc import Callable, Sequence

import msgspec

from .trial import Fidelity, Trial

PROBES = {
    "prune": "prune(magnitude, 0.5, layers={layer})",
    "lowrank": "lowrank(0.25, layers={layer})",
    "int8": "int8(layers={layer})",
}
UNTUNED = Fidelity(0, 0.25)


class Probe(msgspec.Struct, frozen=True):
    """What compressing one layer alone by one method costs."""

    method: str
    layer: str
    loss: float  # relative, of the validation window
    refused: str = ""


def probe(
    layers: Sequence[str], try_one: Callable[[str, Fidelity], Trial], stop: Callable[[], bool] = lambda: False
) -> list[Probe]:
    """Each method on each layer alone, until `stop`; the layers of all methods in turn, so that none is without any."""
    found = list[Probe]()
    for layer in layers:
        for method, text in PROBES.items():
            if stop():
                return found
            trial = try_one(text.format(layer=layer), UNTUNED)
            found.append(Probe(method, layer, trial.loss, trial.refused))
    return found


def by_promise(recipes: Sequence[str], probes: Sequence[Probe]) -> list[str]:
    """Recipes with the least predicted loss first, those that start anew (a student) in front, as they were given."""
    total = {method: sum(max(p.loss, 0.0) for p in probes if p.method == method) for method in PROBES}

    def predicted(recipe: str) -> float:
        steps = re.findall(r"\w+", recipe)
        return -1.0 if "student" in steps else sum(total.get(step, 0.0) for step in steps)

    return sorted(recipes, key=predicted)
