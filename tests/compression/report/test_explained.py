"""A recipe's words are explained, each of them."""

from streamrec.compression.recipe import parse
from streamrec.compression.report.page import METHOD_WORDS, explained, minute
from streamrec.compression.search.space import recipes


def test_every_method_a_search_tries_is_explained() -> None:
    """And nothing else: arguments are no methods."""
    tried = {step.name for recipe in recipes() for step in parse(recipe).steps}
    assert set(explained(recipes())) == tried
    assert tried <= set(METHOD_WORDS)
    assert list(explained(["student(width=16,vector=0) > distil(alpha=0.3,T=2) > int8"])) == [
        "student",
        "distil",
        "int8",
    ]


def test_a_time_is_utc() -> None:
    """To the minute."""
    assert minute(1_573_603_200_000) == "13 Nov 2019 00:00"
