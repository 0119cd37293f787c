"""Halving keeps what has promise, in size as well as in quality, and says what time did not reach."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrec.clock import simulated
from streamrec.compression.search.halving import RUNGS, TimeBudget, halve, ranking
from streamrec.compression.search.trial import Fidelity, Trial
from streamrec.errors import DataError


def trial(recipe: str, stored: int, loss: float, fidelity: Fidelity = RUNGS[0].fidelity, refused: str = "") -> Trial:
    """With bounds two tenths of a percent around the loss."""
    return Trial(recipe, fidelity, 1, stored, 0.7 * (1 - loss), loss, loss - 0.002, loss + 0.002, 1.0, refused)


NAMES = [f"r{i}" for i in range(16)]


def of_name(recipe: str, fidelity: Fidelity) -> Trial:
    """The higher the number the smaller and the worse."""
    number = int(recipe[1:])
    return trial(recipe, 1000 - 10 * number, 0.001 * number, fidelity)


def test_each_rung_costs_more_and_holds_half() -> None:
    """16 recipes, then 8, then 4: the last at four epochs on all rows."""
    found = halve(NAMES, of_name, 0.005, TimeBudget(1e9))
    sizes = [sum(t.fidelity == rung.fidelity for t in found.tried) for rung in RUNGS]
    assert sizes == [16, 8, 4]
    assert len(found.finalists) == 4
    assert found.left_out == []


def test_a_small_one_within_hope_beats_a_worse_large_one() -> None:
    """What loses in size and quality goes first; what is far behind the best has no hope, however small."""
    small, large, worse, hopeless = (
        trial("s", 10, 0.004),
        trial("l", 1000, 0.0),
        trial("w", 1000, 0.01),
        trial("h", 1, 0.2),
    )
    ranked = ranking([hopeless, worse, small, large], hope=0.05)
    assert [t.recipe for t in ranked] == ["l", "s", "w", "h"]


def test_the_refused_do_not_go_on() -> None:
    """A refusal has no loss, and must not look like one of 0."""
    assert [t.recipe for t in ranking([trial("a", 0, 0.0, refused="no"), trial("b", 5, 0.1)], 0.01)] == ["b"]
    assert ranking([trial("a", 0, 0.0, refused="no")], 0.01) == []


@pytest.mark.parametrize(("seconds", "made"), [(60, 1), (20, 1), (10, 2)])
def test_time_that_is_over_leaves_recipes_out_by_name(seconds: float, made: int) -> None:
    """One try is always made, so that there is an answer at all; a rung that nothing fits into is not begun."""
    world = Costs(dict.fromkeys(NAMES, (0.0, seconds)))
    with simulated(lambda: world.now_ns):
        found = halve(NAMES, world.one, 0.005, TimeBudget(40))
    assert [t.recipe for t in found.tried] == NAMES[:made]
    assert {t.recipe for t in found.finalists} == set(NAMES[:made])
    assert found.left_out == [*NAMES[made:], *(t.recipe for t in found.finalists)]


class Costs:
    """Seconds a recipe takes in the first rung: of a beginning that all share, paid once a fidelity, and of its own."""

    def __init__(self, seconds: dict[str, tuple[float, float]]) -> None:
        self.now_ns, self._seconds, self._begun = 0, seconds, set[Fidelity]()

    def one(self, recipe: str, fidelity: Fidelity) -> Trial:
        """A try that takes its time."""
        shared, own = (part * 4 * fidelity.epochs * fidelity.share for part in self._seconds[recipe])
        paid = own + (0 if fidelity in self._begun else shared)
        self._begun.add(fidelity)
        self.now_ns += round(paid * 1e9)
        made = of_name(recipe, fidelity)
        return msgspec.structs.replace(made, seconds=paid, shared_s=shared + own - paid)


@given(
    own=st.lists(st.floats(0.01, 300), min_size=1, max_size=16),
    shared=st.floats(0, 100),
    seconds=st.floats(0.1, 3600),
)
def test_a_search_ends_in_its_time(own: list[float], shared: float, seconds: float) -> None:
    """A tenth more than it was given and one try of the first rung at most, whatever tries cost."""
    names = NAMES[: len(own)]
    world = Costs({name: (shared, cost) for name, cost in zip(names, own, strict=True)})
    with simulated(lambda: world.now_ns):
        found = halve(names, world.one, 0.005, TimeBudget(seconds))
    assert world.now_ns / 1e9 <= 1.1 * seconds + shared + max(own)
    assert found.finalists


def test_no_time_is_refused() -> None:
    """Rather than divided by."""
    with pytest.raises(DataError, match="expected more than none"):
        TimeBudget(0)


def test_a_try_that_would_not_end_in_time_is_not_begun() -> None:
    """What took a minute for an epoch on a quarter takes sixteen for four on all; a quick one still goes ahead."""
    now = [0]
    seconds = {"slow": 60, "quick": 1}

    def one(recipe: str, fidelity: Fidelity) -> Trial:
        took = seconds[recipe] * fidelity.epochs * fidelity.share * 4
        now[0] += int(took * 1e9)
        return msgspec.structs.replace(trial(recipe, 10 if recipe == "quick" else 99, 0.0, fidelity), seconds=took)

    with simulated(lambda: now[0]):
        found = halve(["quick", "slow"], one, 0.005, TimeBudget(600))
    assert [(t.recipe, t.fidelity.epochs) for t in found.tried] == [
        ("quick", 1),
        ("slow", 1),
        ("quick", 2),
        ("slow", 2),
        ("quick", 4),
    ]
    assert found.left_out == ["slow"]


@given(losses=st.lists(st.floats(-0.1, 0.5), min_size=1, max_size=30), hope=st.floats(0, 0.1))
def test_the_best_always_survives(losses: list[float], hope: float) -> None:
    """Whatever the sizes, a candidate of the smallest loss is in the first half."""
    trials = [trial(f"r{i}", 100 - i, loss) for i, loss in enumerate(losses)]
    ranked = ranking(trials, hope)
    assert min(t.loss for t in ranked[: max(1, (len(ranked) + 1) // 2)]) == min(losses)
    assert len(ranked) == len(trials)


def test_what_is_known_needs_no_time() -> None:
    """An interrupted search that goes on with little time still has all it had found."""
    found = halve(NAMES, of_name, 0.005, TimeBudget(1e-9), is_known=lambda *_: True)
    assert found.left_out == []
    assert len(found.tried) == 16 + 8 + 4
