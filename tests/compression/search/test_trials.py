"""A search tries each recipe once, however often it is interrupted, and ends where it would have ended anyway."""

from pathlib import Path

import pytest
from compression.search.worlds import REQUEST, Linear, readers

from streamrec.compression.search.halving import Halved, TimeBudget, halve
from streamrec.compression.search.sensitivity import by_promise, probe
from streamrec.compression.search.splits import split_by_time
from streamrec.compression.search.trial import Fidelity, Folder
from streamrec.compression.search.trials import Trials
from streamrec.engine.predictor import COLUMNS

CUT = split_by_time(readers(1200))
RECIPES = [f"keep({k})" for k in (COLUMNS, 70, 65, 20, 10, 8, 4, 2)]


def tries(path: Path, evaluator: Linear, *, resume: bool = False) -> Trials:
    """Over the made-up readers."""
    folder = Folder(path, REQUEST, resume=resume)
    return Trials(evaluator.evaluate, folder, CUT.validation, evaluator.teacher(), REQUEST)


def searched(path: Path, evaluator: Linear, *, resume: bool = False) -> Halved:
    """With all the time in the world."""
    trials = tries(path, evaluator, resume=resume)
    probes = probe(evaluator.layers(), trials.one)
    return halve(by_promise(RECIPES, probes), trials.one, 0.05, TimeBudget(1e9), is_known=trials.knows)


def outcome(found: Halved) -> list[tuple[str, float]]:
    """What must not depend on interruptions."""
    return [(trial.recipe, trial.loss) for trial in found.finalists]


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
