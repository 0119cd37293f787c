"""A search tries each recipe once, however often it is interrupted, and ends where it would have ended anyway."""

from pathlib import Path

import pytest
from compression.search.worlds import REQUEST, Linear, readers

from streamrec.compression.search.explore import Explored, explore
from streamrec.compression.search.splits import windows
from streamrec.compression.search.time_budget import TimeBudget
from streamrec.compression.search.trial import Fidelity, Folder
from streamrec.compression.search.trials import Trials
from streamrec.engine.scores import COLUMNS

CUT = windows(readers(1200))
RECIPES = [f"keep({k})" for k in (COLUMNS, 70, 65, 20, 10, 8, 4, 2)]


def tries(path: Path, evaluator: Linear, *, resume: bool = False) -> Trials:
    """Over the made-up readers."""
    folder = Folder(path, REQUEST, resume=resume)
    return Trials(evaluator, folder, CUT.validation, evaluator.teacher(), data="d", seed=1, budget=0.05)


def searched(path: Path, evaluator: Linear, *, resume: bool = False) -> Explored:
    """With all the time in the world."""
    return explore(tries(path, evaluator, resume=resume), evaluator.layers(), RECIPES, 0.05, TimeBudget(1e9))


def outcome(found: Explored) -> list[tuple[str, float]]:
    """What must not depend on interruptions."""
    return [(trial.recipe, trial.loss) for trial in found.halved.finalists]


def test_quality_and_size_are_found_by_training(tmp_path: Path) -> None:
    """The eight columns that matter most survive beside larger ones; two columns are beyond hope."""
    found = outcome(searched(tmp_path, Linear(CUT)))
    assert "keep(8)" in dict(found)
    assert "keep(2)" not in dict(found)


class Interrupted(Linear):
    """Somebody presses Ctrl-C in the middle of a try."""

    def evaluate(self, recipe: str, fidelity: Fidelity):  # type: ignore[no-untyped-def]
        if len(self.asked) == 9:
            raise KeyboardInterrupt
        return super().evaluate(recipe, fidelity)


def test_an_interrupted_search_goes_on(tmp_path: Path) -> None:
    """Nothing is tried twice, and the end is the same as without the interruption."""
    interrupted, rest, whole = Interrupted(CUT), Linear(CUT), Linear(CUT)
    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path / "a", interrupted)
    resumed = searched(tmp_path / "a", rest, resume=True)
    assert outcome(resumed) == outcome(searched(tmp_path / "b", whole))
    assert interrupted.asked + rest.asked == whole.asked


def test_a_refusal_is_remembered_with_its_reason(tmp_path: Path) -> None:
    """The methods are not asked again what they have refused."""
    evaluator = Linear(CUT)
    for resume in (False, True):
        trial = tries(tmp_path, evaluator, resume=resume).one("shrink(3)", Fidelity(1, 0.25))
        assert trial.refused == "only keep(k) is known, not shrink(3)"
    assert len(evaluator.asked) == 1


def test_more_epochs_on_more_rows_learn_more(tmp_path: Path) -> None:
    """The fidelity of the last rung is worth its price, or halving would be pointless."""
    one = tries(tmp_path, Linear(CUT)).one
    assert one("keep(20)", Fidelity(4, 1.0)).loss < one("keep(20)", Fidelity(1, 0.05)).loss
