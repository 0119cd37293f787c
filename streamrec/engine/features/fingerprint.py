"""The feature fingerprint: 12 hex digits that change when a model would see something else, and not when it would not.

What a row of features means is said by the feature functions and their order, by what they call, by how events become
profiles, and by how much each action is worth. `ROOTS` names where that begins; whatever these use within the package
belongs to it: functions, classes, constants, through as many modules as it takes. Read as text, not imported: `learn`
stands above this module, and no function has to run.

    part = syntax tree without docstrings, comments, annotations and places; the same on every Python and processor

A class that is only named in annotations is not followed, nor is a method found through an object: those that matter
are roots themselves. Actions come in by value: one more that teaches nothing changes nothing.
"""

import ast
import gc
import hashlib
from collections import deque
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from ...contracts.event import KINDS

PACKAGE = Path(__file__).parents[2]
FEATURES = "engine/features/features.py"
ROOTS = (
    ("engine/features/features.py", "features"),
    ("engine/pairs.py", "Pairs.user"),
    ("engine/pairs.py", "Pairs.article"),
    ("engine/learn.py", "after_events"),
    ("engine/learn.py", "after_article"),
    ("engine/catalog.py", "Catalog.after_reads"),
    ("content/category_slots.py", "CategorySlots.slot_of"),
    ("content/query.py", "Queries.understand"),
    ("content/query.py", "Queries._read"),
    ("contracts/ids.py", "source_slot"),
    ("contracts/ids.py", "CATEGORY_SLOTS"),
    ("contracts/ids.py", "SHARED_CATEGORY"),
    ("contracts/ids.py", "SOURCE_SLOTS"),
    ("contracts/limits.py", "VECTOR_DIMS"),
)
OUTSIDE = {  # of what a model sees
    ("contracts/event.py", "KINDS"),  # by value
    ("engine/learn.py", "_consent"),
    ("engine/learn.py", "_remember_zones"),
}
IN_NO_PART = {"annotation", "returns", "type_comment", "type_params", "ctx", "kind", "decorator_list"}


class Place(NamedTuple):
    """A name at the top of a module, or a method `Class.name`."""

    module: str  # path within the package
    name: str


@cache
def fingerprint() -> str:
    """The fingerprint of the features, as the code of this release computes them: 12 hex digits."""
    return fingerprint_of(PACKAGE)


def fingerprint_of(package: Path) -> str:
    """The fingerprint of the features in any copy of the package's source."""
    parts = _parts(package)
    worths = sorted((name, *kind_of(name)) for name in KINDS if any(kind_of(name)))
    return hashlib.sha256(repr((parts, worths)).encode()).hexdigest()[:12]


def kind_of(action: str) -> tuple[float, bool, bool, bool]:
    """What an action teaches, without its name and ordinal: worth, and whether it is a read, a dislike, a search."""
    kind = KINDS[action]
    return float(kind.worth), kind.reading, kind.refusing, kind.by_query


def _parts(package: Path) -> list[str]:
    """Features in their order, then all that they and the roots use, in any order."""
    modules: dict[str, Module] = {}

    def module_of(path: str) -> Module:
        return modules.setdefault(path, Module(package, path))

    columns = [Place(FEATURES, name) for name in module_of(FEATURES).decorated("feature")]
    waiting, found = deque([*columns, *(Place(*root) for root in ROOTS)]), dict[Place, str]()
    while waiting:
        place = waiting.popleft()
        if place in found or place in OUTSIDE:
            continue
        module = module_of(place.module)
        if (origin := module.passed_on(place.name)) is not None:
            waiting.append(origin)
            continue
        node = module.definition(place.name)
        found[place] = f"{place.name}: {_canonical(node)}"
        waiting.extend(module.uses(node))
    return [found.pop(place) for place in columns] + sorted(found.values())


def _parsed(text: str) -> ast.Module:
    """Without a garbage collection in between: what that runs can upset the depth CPython 3.11 counts (SystemError)."""
    collects = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(text)
    finally:
        if collects:
            gc.enable()


class Module:
    """What a module defines and imports at its top."""

    def __init__(self, package: Path, path: str) -> None:
        self.path = path
        self._package = package
        self._defined: dict[str, ast.AST] = {}
        self._imported: dict[str, Place] = {}  # a module, where the name is empty
        for node in _parsed((package / path).read_text(encoding="utf-8")).body:
            self._note(node)

    def _note(self, node: ast.stmt) -> None:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            self._defined[node.name] = node
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                self._defined.update({each.id: node for each in ast.walk(target) if isinstance(each, ast.Name)})
        elif isinstance(node, ast.ImportFrom) and node.level:
            folder = Path(self.path).parents[node.level - 1] / (node.module or "").replace(".", "/")
            for alias in node.names:
                self._imported[alias.asname or alias.name] = self._where(folder, alias.name)

    def _where(self, folder: Path, name: str) -> Place:
        for path, inner in ((folder / f"{name}.py", ""), (folder.with_suffix(".py"), name)):
            if (self._package / path).is_file():
                return Place(path.as_posix(), inner)
        return Place((folder / "__init__.py").as_posix(), name)

    def decorated(self, by: str) -> list[str]:
        """Names of the functions decorated by a call of `by`, in order."""
        functions = (node for node in self._defined.values() if isinstance(node, ast.FunctionDef))
        return [node.name for node in functions if any(_calls(each, by) for each in node.decorator_list)]

    def passed_on(self, name: str) -> Place | None:
        """Where a name comes from that this module has from another one."""
        return None if name in self._defined else self._imported.get(name)

    def definition(self, name: str) -> ast.AST:
        """Syntax tree of a function, class, constant or method; KeyError if the module has none of the name."""
        outer, _, method = name.partition(".")
        node = self._defined[outer]
        if not method:
            return node
        return next(each for each in ast.iter_child_nodes(node) if getattr(each, "name", None) == method)

    def uses(self, node: ast.AST) -> Iterator[Place]:
        """Places in the package that a definition names."""
        for each in _walk(node):
            if isinstance(each, ast.Attribute) and isinstance(each.value, ast.Name):
                inside = self._imported.get(each.value.id)
                if inside is not None and not inside.name:
                    yield Place(inside.module, each.attr)
            elif isinstance(each, ast.Name):
                if each.id in self._defined:
                    yield Place(self.path, each.id)
                elif (there := self._imported.get(each.id)) is not None and there.name:
                    yield there


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


def _fields(node: ast.AST) -> Iterator[tuple[str, object]]:
    for name, value in ast.iter_fields(node):
        if name not in IN_NO_PART and value is not None and value != []:
            yield name, _without_docstring(node, value) if name == "body" else value


def _without_docstring(node: ast.AST, body: object) -> object:
    documented = isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node) is not None
    return body[1:] if documented and isinstance(body, list) else body


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for _, value in _fields(node):
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.AST):
                yield from _walk(each)


def _canonical(value: object) -> str:
    """Written by hand: `ast.dump` and `ast.unparse` differ from one Python to the next."""
    if isinstance(value, ast.AST):
        return f"{type(value).__name__}({','.join(f'{name}={_canonical(of)}' for name, of in _fields(value))})"
    if isinstance(value, list):
        return f"[{','.join(map(_canonical, value))}]"
    return repr(value)
