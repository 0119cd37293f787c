"""Gates and rules found by the name of their reason: a new one is its file and a word in suppression_reasons.py."""

from collections.abc import Iterable, Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Any


def functions_in(package: str, path: Iterable[str], reasons: Sequence[str]) -> list[Any]:
    """The public functions that modules of this package define, one a reason, in the order of the reasons."""
    found = {
        name: function
        for module in (f"{package}.{each.name}" for each in iter_modules(path))
        for name, function in vars(import_module(module)).items()
        if callable(function) and function.__module__ == module and not name.startswith("_")
    }
    if unnamed := found.keys() ^ set(reasons):
        raise ImportError(f"{package}: {sorted(unnamed)}: expected a function for each reason, and a reason for each")
    return [found[reason] for reason in reasons]
