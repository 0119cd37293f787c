"""Orders that make no sense are refused with the reason."""

import pytest

from streamrec.compression.recipe import parse
from streamrec.errors import RecipeError


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("int8 > prune(magnitude,.5)", "must be last"),
        ("qat > int8", "must be last"),
        ("fp16 > distil(.3)", "must be last"),
        ("prune(magnitude,.5) > lowrank(.9)", "fill in the zeros"),
        ("variational > lowrank(.9)", "fill in the zeros"),
        ("lowrank(.9) > lowrank(.5)", "factors of factors"),
        ("int8 > student > distil(.3)", "put it first"),
        ("student > distil(.3) > student > distil(.3)", "throw the first one away"),
        ("student", "must follow"),
        ("student > int8", "must follow"),
        ("users(sq8) > users(fp16)", "stored in one way"),
    ],
)
def test_refused(text: str, reason: str) -> None:
    """The message names the step and says why."""
    with pytest.raises(RecipeError, match=reason):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "teacher",
        "distil(0)",
        "lowrank(.9) > prune(gradient,.5) > qat",
        "neurons(magnitude,.5) > lowrank(.9) > int8(tensor)",
        "student > distil(.3) > columns(gradient,.5) > neurons(gradient,.5) > prune(magnitude,.5) > int8 > users(sq8)",
        "users(sq8) > student > distil(0) > fp16",
        "variational > distil(.3) > int8",
    ],
)
def test_allowed(text: str) -> None:
    """Whatever order makes sense."""
    assert parse(text).text()
