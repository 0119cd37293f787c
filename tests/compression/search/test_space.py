"""The built-in recipes can all be carried out, at least as far as their order goes."""

from streamrec.compression.recipe import METHODS, parse
from streamrec.compression.search.space import COMPARED, recipes


def test_every_recipe_parses_and_none_is_there_twice() -> None:
    """Two ways of writing one recipe would be tried twice."""
    assert len({parse(text).key() for text in recipes()}) == len(recipes())


def test_every_method_is_tried() -> None:
    """Except those for user vectors, which are no part of a model's file."""
    tried = {step.name for text in recipes() for step in parse(text).steps}
    assert tried == set(METHODS) - {"users"}


def test_no_pull_of_the_teacher_is_tried_too() -> None:
    """With few rows a student learns better from clicks alone."""
    pulls = {getattr(step, "alpha", None) for text in recipes() for step in parse(text).steps}
    assert 0 in pulls


def test_what_is_always_compared_is_always_tried() -> None:
    """Under the very text by which it is looked up."""
    assert set(COMPARED) <= set(recipes())
