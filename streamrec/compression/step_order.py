"""Which orders of steps make sense; any other is refused with the reason.

A step that learns moves weights, so what fixes them to a grid comes last; a step that starts anew comes first.
Refusals that depend on the model rather than on the order are made by the methods themselves.
"""

from collections.abc import Sequence

from ..errors import RecipeError
from .methods.method import Method

GRID = {"int8", "qat", "fp16"}  # fix weights to what few bits can hold
ZEROS = {"prune", "variational"}
ONCE = {
    "student": "a second student would throw the first one away",
    "lowrank": "factors of factors save nothing",
    "users": "user vectors are stored in one way",
}


def check_order(steps: Sequence[Method]) -> None:
    """RecipeError naming the first step that cannot stand where it stands."""
    names = [step.name for step in steps]
    for at, name in enumerate(names):
        earlier, before = names[:at], names[at - 1] if at else ""
        reason = _reason(name, earlier, before)
        if reason:
            raise RecipeError(f"step {at + 1}, {name}: {reason}")
    if "student" in names and names[names.index("student") + 1 :][:1] != ["distil"]:
        raise RecipeError("step 1, student: it has learned nothing yet; distil(...) must follow it directly")


def _reason(name: str, earlier: Sequence[str], before: str) -> str:
    if name in ONCE and name in earlier:
        return ONCE[name]
    if name == "student" and set(earlier) - {"users"}:
        return f"it starts from a new network, so what {before} did would be lost; put it first"
    grid = GRID.intersection(earlier)
    if grid and name != "users":
        return f"it would move weights off the grid of {grid.pop()}, which must be last"
    if name == "lowrank" and (zeros := ZEROS.intersection(earlier)):
        return f"its factors would fill in the zeros that {zeros.pop()} made; put lowrank before it"
    return ""
