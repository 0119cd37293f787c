"""Recipes: text, structs and JSON are one thing; what is not understood is refused with what was expected."""

import msgspec
import numpy as np
import pytest
from benches import HELD_OUT, bench, trained_network, trained_teacher
from hypothesis import given
from hypothesis import strategies as st

from streamrec.compression.methods.distil import Distil
from streamrec.compression.methods.int8 import Int8
from streamrec.compression.methods.prune import Prune
from streamrec.compression.methods.student import Student
from streamrec.compression.recipe import METHODS, Recipe, parse, run
from streamrec.errors import RecipeError
from streamrec.training.model import logits_of

WHOLE = "student(width=64,depth=1,vector=64) > distil(alpha=.7,T=1) > prune(magnitude,.5) > int8"


def test_text_becomes_structs() -> None:
    """Names, positions and defaults."""
    assert parse(WHOLE).steps == (Student(64, 1, 64), Distil(0.7, 1.0), Prune("magnitude", 0.5), Int8("channel"))
    assert parse("distil(.7, T=2)").steps == (Distil(0.7, 2.0),)
    assert parse("prune(gradient,.8,gradual=false)").steps == (Prune("gradient", 0.8, gradual=False),)
    assert parse("teacher") == parse("") == Recipe()


steps = st.sampled_from(
    ["lowrank(.5)", "neurons(magnitude,.25)", "columns(gradient,.5)", "prune(magnitude,.125)", "variational(weight=2)"]
)
endings = st.sampled_from(["", " > int8", " > qat(tensor)", " > fp16", " > int8 > users(sq8)"])


@given(middle=st.lists(steps, max_size=3), ending=endings, width=st.integers(1, 512), alpha=st.floats(0, 1))
def test_text_and_json_come_back(middle: list[str], ending: str, width: int, alpha: float) -> None:
    """Every recipe that is allowed survives both ways, and has one key however it was written."""
    text = " > ".join([f"student({width})", f"distil({alpha:.3f})", *middle]) + ending
    try:
        recipe = parse(text)
    except RecipeError:
        return
    assert parse(recipe.text()) == msgspec.json.decode(recipe.json(), type=Recipe) == recipe
    assert parse(recipe.text()).key() == recipe.key()


def test_the_key_is_of_the_meaning() -> None:
    """Another way to write it has the same key, another setting another one."""
    assert parse(WHOLE).key() == parse("student > distil(T=1.0) > prune(share=0.5,by=magnitude) > int8(channel)").key()
    assert parse(WHOLE).key() != parse(WHOLE.replace(".5", ".6")).key()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sprinkle(3)", "unknown; expected one of student, distil"),
        ("prune(magnitude,.5", "not understood"),
        ("prune(luck,.5)", "luck"),
        ("prune(magnitude)", "share"),
        ("prune(magnitude,1.5)", "<"),
        ("int8(channel,stages,7)", "more values"),
        ("int8(grains=channel)", "unknown; expected grain, layers"),
        ("distil(.3,alpha=.4)", "given twice"),
        ("student(width=wide)", "int"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, says: str) -> None:
    """Naming the step and what was expected there."""
    with pytest.raises(RecipeError, match=says.replace("(", r"\(")):
        parse(text)


def test_a_run_does_the_steps_in_order_and_writes_them_down() -> None:
    """The teacher is left as it is; the log holds sizes and layers after each step; the same seed gives the same."""
    teacher = trained_teacher()
    before, told = logits_of(teacher, HELD_OUT), list[str]()
    recipe = parse("student(8,1,16) > distil(.3) > prune(magnitude,.5) > int8 > users(sq8)")
    made = run(recipe, teacher, bench(teacher, 2), told.append)
    assert told == [step.step for step in made.log] == recipe.text().split(" > ")
    assert made.log[2].nonzero < made.log[1].nonzero
    assert made.log[3].file_bytes < made.log[2].file_bytes
    assert made.users == "sq8"
    assert made.size().per_user_bytes == 68
    np.testing.assert_array_equal(logits_of(teacher, HELD_OUT), before)
    np.testing.assert_array_equal(run(recipe, teacher, bench(teacher, 2)).logits(HELD_OUT), made.logits(HELD_OUT))


def test_nothing_is_done_for_the_empty_recipe() -> None:
    """The teacher itself, as a candidate like any other."""
    network = trained_network()
    made = run(Recipe(), network, bench(network))
    assert made.model is network
    assert made.recipe == "teacher"
    assert made.log == ()


def test_every_method_has_a_word() -> None:
    """The word in recipes is the tag in JSON."""
    for word, method in METHODS.items():
        assert method.__struct_config__.tag == word
