"""A search that goes on has the models it made, to the bit, and learns nothing twice."""

from pathlib import Path

import numpy as np
import pytest
from compression.search.finished import taught
from compression.search.worlds import REQUEST

from streamrec.compression.search.recipe_evaluator import ModelCache, RecipeEvaluator
from streamrec.compression.search.trial import Fidelity, Folder

STUDENT = "student(width=8) > distil(alpha=.3) > prune(magnitude,.5) > int8"
FIDELITY = Fidelity(1, 0.5)


def of_folder(path: Path, *, resume: bool) -> RecipeEvaluator:
    """A process that knows only what the folder holds."""
    of = taught()
    models = ModelCache(Folder(path, REQUEST, resume=resume), of.teacher, REQUEST.data, REQUEST.seed)
    return RecipeEvaluator(of.teacher, of.cut, 1, models)


@pytest.mark.parametrize("recipe", [STUDENT, "lowrank(.5) > int8 > users(sq8)", "neurons(magnitude,.5)"])
def test_what_was_made_is_not_made_again(recipe: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same logits, history and way of storing users, without a step being carried out."""
    first = of_folder(tmp_path, resume=False)
    made, rows = first.compressed(recipe, FIDELITY), first.cut.validation
    changes = first.changes(recipe, FIDELITY)
    monkeypatch.delattr("streamrec.compression.search.recipe_evaluator.run")
    again = of_folder(tmp_path, resume=True)
    found = again.compressed(recipe, FIDELITY)
    np.testing.assert_array_equal(found.logits(rows), made.logits(rows))
    assert found._replace(model=made.model) == made
    assert again.changes(recipe, FIDELITY) == changes
    with pytest.raises(NameError):
        again.compressed(recipe, Fidelity(1, 0.25))  # another fidelity is another model


def test_a_recipe_goes_on_from_a_model_found(tmp_path: Path) -> None:
    """A student read from disk learns further as the one in memory would have: dropout and all."""
    whole = of_folder(tmp_path / "one", resume=False).compressed(STUDENT, FIDELITY)
    of_folder(tmp_path / "two", resume=False).compressed("student(width=8) > distil(alpha=.3)", FIDELITY)
    of = of_folder(tmp_path / "two", resume=True)
    np.testing.assert_array_equal(
        of.compressed(STUDENT, FIDELITY).logits(of.cut.validation), whole.logits(of.cut.validation)
    )


def test_one_written_in_part_is_made_again(tmp_path: Path) -> None:
    """Killed between weights and JSON: what lacks the JSON is not there."""
    made = of_folder(tmp_path, resume=False).compressed("int8", FIDELITY)
    for path in (tmp_path / "models").glob("*.json"):
        path.unlink()
    again = of_folder(tmp_path, resume=True).compressed("int8", FIDELITY)
    assert again.log == made.log


def test_what_a_model_took_is_known_when_a_search_goes_on(tmp_path: Path) -> None:
    """A beginning found on disk cost something, too."""
    other = "student(width=8) > distil(alpha=.3) > fp16"
    of_folder(tmp_path, resume=False).evaluate(STUDENT, FIDELITY)
    assert of_folder(tmp_path, resume=True).evaluate(other, FIDELITY).shared_s > 0
