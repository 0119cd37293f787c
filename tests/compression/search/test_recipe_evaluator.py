"""Recipes with a common beginning share it, and come out as they would from the start."""

import numpy as np
import pytest
from compression.search.finished import taught

from streamrec.compression.methods.method import Workbench
from streamrec.compression.recipe import parse, run
from streamrec.compression.search.recipe_evaluator import RecipeEvaluator, latest
from streamrec.compression.search.trial import Fidelity
from streamrec.errors import RecipeError
from streamrec.training.model import logits_of

LONG = "student(width=8) > distil(alpha=.3) > prune(magnitude,.5) > int8"


def test_a_shared_beginning_changes_nothing() -> None:
    """To the bit: each step depends on its input and the seed alone."""
    of = taught()
    of.compressed("student(width=8) > distil(alpha=.3)", Fidelity(1, 1.0))
    shared = of.compressed(LONG, Fidelity(1, 1.0))
    bench = Workbench(of.cut.train, of.cut.held_out, logits_of(of.teacher, of.cut.train), 1, 1)
    alone = run(parse(LONG), of.teacher, bench)
    np.testing.assert_array_equal(shared.logits(of.cut.validation), alone.logits(of.cut.validation))
    assert [step.step for step in shared.log] == [step.step for step in alone.log]
    assert shared.recipe == alone.recipe


def test_the_teacher_is_left_as_it_is() -> None:
    """It is the measure of all others."""
    of = taught()
    before = logits_of(of.teacher, of.cut.validation)
    of.evaluate("prune(magnitude,.5) > int8", Fidelity(1, 0.25))
    np.testing.assert_array_equal(before, logits_of(of.teacher, of.cut.validation))


def test_a_share_is_of_the_latest_impressions() -> None:
    """A quarter of the rows, none of them earlier than any left out, with their own logits."""
    rows = taught().cut.train
    logits = np.arange(len(rows.x), dtype=np.float32)
    some, theirs = latest(rows, logits, 0.25)
    assert len(some.x) == pytest.approx(len(rows.x) / 4, rel=0.02)
    assert some.at_ms.min() > rows.at_ms[: len(rows.x) - len(some.x)].max()
    np.testing.assert_array_equal(theirs, logits[-len(some.x) :])


def test_changes_are_told_against_what_came_before_compression() -> None:
    """For a student that is the distilled one, so its layers can be compared at all."""
    changes = taught().changes(LONG, Fidelity(1, 1.0))
    assert all(change.error is not None for change in changes)
    assert taught().changes("teacher", Fidelity(0, 1.0))[0].error == 0


def test_refusals_come_through() -> None:
    """With the method's own reason."""
    with pytest.raises(RecipeError, match="chain of layers"):
        taught().evaluate("columns(magnitude,.5)", Fidelity(1, 0.25))


def test_what_others_have_paid_for_is_counted() -> None:
    """The second student that begins alike is quick here, but at the next fidelity it may be the first."""
    of = RecipeEvaluator(taught().teacher, taught().cut, seed=1)
    first, second, alone = (
        of.evaluate(recipe, Fidelity(1, 0.25)).shared_s
        for recipe in ("student(width=8) > distil > int8", "student(width=8) > distil > fp16", "int8")
    )
    assert first == alone == 0
    assert second > 0
