"""The recipes a search tries: methods x strengths, curated where the product of all would be thousands.

    new networks     width x depth x columns read x pull of the teacher (0 included) > int8
    those, smaller   a student, then each other method at a few strengths, then int8
    the teacher      each method alone and the combinations that are known to go together

All end in few bits: int8 rows cost no measurable quality on any data set tried and are a quarter of the bytes, so the
same recipe without them is never on the front. Engines are no part of a recipe: they are measured for survivors.
"""

from collections.abc import Iterator

from ..recipe import parse

STUDENTS = ("student(width=32)", "student(width=64)", "student(width=128)", "student(width=64,depth=2)")
SMALLER = (
    "student(width=16)",
    "student(width=16,vector=0)",
    "student(width=32,vector=16)",
    "student(width=32,vector=32)",
)
PULLS = ("distil(alpha=0)", "distil", "distil(alpha=1)", "distil(alpha=1,T=2)")
AFTER_STUDENT = (
    "prune(magnitude,.5) > int8",
    "prune(magnitude,.75) > int8",
    "prune(gradient,.5) > int8",
    "neurons(gradient,.5) > int8",
    "columns(gradient,.5) > int8",
    "lowrank(.9) > int8",
    "variational > int8",
    "qat",
)
OF_TEACHER = (
    "fp16",
    "int8",
    "int8(tensor)",
    "prune(magnitude,.5) > int8",
    "lowrank(.9) > int8",
    "lowrank(.8) > int8",
    "neurons(magnitude,.5) > int8",
    "prune(magnitude,.8) > int8",
    "prune(gradient,.8) > int8",
    "qat",
)
QUANTIZED = "int8"  # needs no learning, so there is always time for it
COMPARED = (QUANTIZED, "prune(magnitude,0.5) > int8", "lowrank > int8")  # the usual ways: always among the figures


def recipes() -> list[str]:
    """All, students first: they are cheap to train and far smaller; no recipe twice, each as `text()` writes it."""
    return list(dict.fromkeys(parse(text).text() for text in _all()))


def _all() -> Iterator[str]:
    for pull in PULLS:
        for student in STUDENTS:
            yield f"{student} > {pull} > int8"
    for student in SMALLER:
        yield f"{student} > {PULLS[1]} > int8"
    for end in AFTER_STUDENT:
        for student in STUDENTS[:3]:
            yield f"{student} > {PULLS[1]} > {end}"
    yield from OF_TEACHER
