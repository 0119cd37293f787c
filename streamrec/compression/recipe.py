"""A recipe: methods in order, as text, as JSON, and done.

    student(width=64,depth=1,vector=64) > distil(alpha=.7,T=1) > prune(magnitude,.5) > int8
    teacher                             no step: the model as it is

Values without a name follow the order of the method's fields. `text` writes what differs from the defaults, JSON
writes everything; `key` is a hash of that JSON, so two ways of writing one recipe have one key.

An order that makes no sense is refused with the reason: a step that learns moves weights, so what fixes them to a grid
comes last; a step that starts anew comes first. Refusals that depend on the model are made by the methods themselves.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from torch import nn

from ..errors import RecipeError
from .methods.distil import Distil
from .methods.fp16 import Fp16
from .methods.int8 import Int8
from .methods.lowrank import LowRank
from .methods.method import Workbench
from .methods.prune import Prune
from .methods.prune_structured import Columns, Neurons
from .methods.qat import Qat
from .methods.student import Student
from .methods.user_vectors import Form, UserVectors
from .methods.variational import Variational
from .result import Compressed, StepLog, step_log

Step = Student | Distil | LowRank | Prune | Neurons | Columns | Variational | Qat | Int8 | Fp16 | UserVectors
METHODS: dict[str, type[Step]] = {
    str(method.__struct_config__.tag): method
    for method in (Student, Distil, LowRank, Prune, Neurons, Columns, Variational, Qat, Int8, Fp16, UserVectors)
}
NOTHING = "teacher"
GRID = {"int8", "qat", "fp16"}  # fix weights to what few bits can hold
ZEROS = {"prune", "variational"}
ONCE = {
    "student": "a second student would throw the first one away",
    "lowrank": "factors of factors save nothing",
    "users": "user vectors are stored in one way",
}
_STEP = re.compile(r"\s*([a-z][a-z0-9]*)\s*(?:\(([^()]*)\))?\s*")


class Recipe(msgspec.Struct, frozen=True):
    """Steps in the order they are done; RecipeError if that order makes no sense."""

    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        _check_order([step.name for step in self.steps])

    def text(self) -> str:
        """The recipe as one writes it on a command line: steps joined by " > "."""
        return " > ".join(map(_text, self.steps)) or NOTHING

    def json(self) -> str:
        """The recipe as JSON with every setting, defaults too, and sorted keys: equal recipes give equal bytes."""
        return msgspec.json.encode(self, order="sorted").decode()

    def key(self) -> str:
        """16 hex digits of the recipe's SHA-256, which name it."""
        return hashlib.sha256(self.json().encode()).hexdigest()[:16]


def parse(text: str) -> Recipe:
    """The recipe of a text; RecipeError says which step is not understood and what was expected."""
    if text.strip() in {"", NOTHING}:
        return Recipe()
    return Recipe(tuple(_step(part) for part in text.split(">")))


def run(
    recipe: Recipe, teacher: nn.Module, bench: Workbench, progress: Callable[[str], object] = lambda _: None
) -> Compressed:
    """Do the steps one after the other, each on what the one before it made; the teacher is left as it is."""
    model, log = teacher, list[StepLog]()
    for step in recipe.steps:
        progress(_text(step))
        changed = step.apply(model, bench)
        log.append(step_log(_text(step), model, changed))
        model = changed
    users: list[Form] = [step.form for step in recipe.steps if isinstance(step, UserVectors)]
    return Compressed(model, tuple(log), recipe.text(), users[0] if users else "fp32")


def _step(part: str) -> Step:
    match = _STEP.fullmatch(part)
    if match is None:
        raise RecipeError(f"step {part.strip()!r} is not understood; expected name or name(value, key=value)")
    name, inside = match.groups()
    if name not in METHODS:
        raise RecipeError(f"method {name!r} is unknown; expected one of {', '.join(METHODS)}")
    given = [argument.strip() for argument in (inside or "").split(",") if argument.strip()]
    fields = METHODS[name].__struct_encode_fields__
    settings = ", ".join(fields)
    values: dict[str, Any] = {"type": name}
    for place, argument in enumerate(given):
        key, equals, value = (word.strip() for word in argument.partition("="))
        if not equals:
            if place >= len(fields):
                raise RecipeError(f"step {part.strip()!r} has more values than {name} has settings: {settings}")
            key, value = fields[place], key
        if key not in fields or key in values:
            problem = "given twice" if key in values else f"unknown; expected {settings}"
            raise RecipeError(f"step {part.strip()!r}: setting {key!r} is {problem}")
        values[key] = _value(value)
    try:
        step: Step = msgspec.convert(values, Step)
    except msgspec.ValidationError as error:
        raise RecipeError(f"step {part.strip()!r}: {error}") from error
    return step


def _value(text: str) -> int | float | bool | str:
    if text in {"true", "false"}:
        return text == "true"
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def _text(step: Step) -> str:
    shown = []
    for field in msgspec.structs.fields(step):
        value = getattr(step, field.name)
        if field.required:
            shown.append(_shown(value))
        elif value != field.default:
            shown.append(f"{field.encode_name}={_shown(value)}")
    return f"{step.name}({','.join(shown)})" if shown else step.name


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else f"{value:g}" if isinstance(value, float) else str(value)


def _check_order(names: Sequence[str]) -> None:
    """RecipeError naming the first step that cannot stand where it stands."""
    for at, name in enumerate(names):
        earlier, before = names[:at], names[at - 1] if at else ""
        reason = _objection(name, earlier, before)
        if reason:
            raise RecipeError(f"step {at + 1}, {name}: {reason}")
    if "student" in names and names[names.index("student") + 1 :][:1] != ["distil"]:
        raise RecipeError("step 1, student: it has learned nothing yet; distil(...) must follow it directly")


def _objection(name: str, earlier: Sequence[str], before: str) -> str:
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
