"""Halving keeps what has promise, in size as well as in quality, and says what time did not reach."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streamrec.clock import simulated
from streamrec.compression.search.allowance import Allowance
from streamrec.compression.search.halving import RUNGS, halve, ranking
from streamrec.compression.search.trial import Fidelity, Trial


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
    found = halve(NAMES, of_name, 0.005, Allowance(1e9))
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


def test_time_that_is_over_leaves_recipes_out_by_name() -> None:
    """One try a rung is always made, so that there is an answer at all; the rest is named."""
    now = [0]

    def slow(recipe: str, fidelity: Fidelity) -> Trial:
        now[0] += 10 * 10**9
        return of_name(recipe, fidelity)

    with simulated(lambda: now[0]):
        found = halve(NAMES, slow, 0.005, Allowance(40))
    assert [t.recipe for t in found.tried[:2]] == NAMES[:2]
    assert found.left_out[:14] == NAMES[2:]
    assert [t.fidelity for t in found.tried[2:]] == [rung.fidelity for rung in RUNGS[1:]]


def test_a_try_that_would_not_end_in_time_is_not_begun() -> None:
    """What took a minute for an epoch on a quarter takes sixteen for four on all; a quick one still goes ahead."""
    now = [0]
    seconds = {"slow": 60, "quick": 1}

    def one(recipe: str, fidelity: Fidelity) -> Trial:
        took = seconds[recipe] * fidelity.epochs * fidelity.share * 4
        now[0] += int(took * 1e9)
        return msgspec.structs.replace(trial(recipe, 10 if recipe == "quick" else 99, 0.0, fidelity), seconds=took)

    with simulated(lambda: now[0]):
        found = halve(["quick", "slow"], one, 0.005, Allowance(600))
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
    found = halve(NAMES, of_name, 0.005, Allowance(1e-9), is_known=lambda *_: True)
    assert found.left_out == []
    assert len(found.tried) == 16 + 8 + 4
