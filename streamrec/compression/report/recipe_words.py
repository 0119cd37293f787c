"""A recipe in plain words, for readers of the report who have not written it."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

METHODS = {
    "student": "a small new network in place of the teacher",
    "distil": "it learns from the clicks and, by the weight alpha, from the teacher's answers",
    "lowrank": "each matrix as a product of two thin ones that keep this share of its energy",
    "prune": "the least important weights to zero, this share of them",
    "neurons": "the least important hidden units removed, this share of them",
    "columns": "the least important features no longer read, this share of them",
    "variational": "noise is learned for each weight, and what drowns in it removed",
    "qat": "int8 weights while learning goes on",
    "int8": "weights in 8 bits",
    "fp16": "weights in 16 bits",
    "users": "stored user vectors in fewer bits",
}


def explained(recipes: Iterable[str]) -> dict[str, str]:
    """Every method that occurs, in this module's order."""
    used = set(re.findall(r"[a-z]\w*", " ".join(recipes)))
    return {name: words for name, words in METHODS.items() if name in used}


def minute(at_ms: int) -> str:
    """A moment in UTC to the minute, like 01 Mar 2026 06:30."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%d %b %Y %H:%M")
