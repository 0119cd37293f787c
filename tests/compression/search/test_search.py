"""A whole search with real methods: what it promises of the best, of the budget, and of every figure."""

from pathlib import Path
from typing import Literal

import msgspec
import pytest
from compression.search.finished import RECIPES, WITHIN, again, finished, taught

from streamrec.compression.recipe import Recipe, parse
from streamrec.compression.search.evaluation import Judging
from streamrec.compression.search.final_selection import final_selection
from streamrec.compression.search.halving import Halved
from streamrec.compression.search.holdout_ledger import HoldoutLedger
from streamrec.compression.search.outcome import Outcome, Point
from streamrec.compression.search.search import best, closest, recipes_for_final_selection
from streamrec.compression.search.sensitivity import UNTUNED
from streamrec.compression.search.summary import sentence
from streamrec.compression.search.trial import Fidelity, Folder


def test_the_best_is_small_fast_and_proven() -> None:
    """A student a tenth of the teacher's size passes, and is preferred to the teacher in int8."""
    outcome = finished()
    assert outcome.best is not None
    best = outcome.points[outcome.best]
    assert best.recipe.startswith("student")
    assert best.size_ratio > 3
    assert best.speed[256].ratio > 5
    assert best.verdict is not None
    assert best.verdict.outcome == "pass"
    assert best.verdict.upper_95 <= 0.2


def test_the_exact_recipe_is_in_the_file() -> None:
    """Each point's JSON gives its recipe back, whatever the text left to defaults."""
    for point in finished().points:
        assert msgspec.json.decode(point.recipe_json, type=Recipe) == parse(point.recipe)


def judged_as(point: Point, outcome: Literal["pass", "fail"], upper: float, *, servable: bool = True) -> Point:
    """The point with another verdict."""
    assert point.verdict is not None
    verdict = msgspec.structs.replace(point.verdict, outcome=outcome, upper_95=upper)
    return msgspec.structs.replace(point, verdict=verdict, servable=servable)


def test_the_first_in_preference_that_passes_is_best() -> None:
    """Not the one with the smallest bound: preference was settled before the test window was looked at."""
    first, second, third, *_ = finished().points
    points = [judged_as(first, "fail", 0.3), judged_as(second, "pass", 0.1), judged_as(third, "pass", 0.0)]
    assert best(points) == 1


def test_what_no_worker_can_load_is_best_only_where_nothing_else_passed() -> None:
    """And then the search has not met its budget, unless nothing else was asked for; closest is one that can serve."""
    first, second, third, *_ = finished().points
    reference = judged_as(first, "pass", 0.0, servable=False)
    points = [reference, judged_as(second, "fail", 0.3), judged_as(third, "pass", 0.1)]
    assert best(points) == 2
    points[2] = judged_as(third, "fail", 0.2)
    assert best(points) == 0
    assert closest(points) == 2
    outcome = msgspec.structs.replace(finished(), points=points, best=0, closest=2)
    assert not outcome.met
    assert msgspec.structs.replace(outcome, references_only=True).met


def test_a_later_search_of_the_folder_shares_the_5_percent(tmp_path: Path) -> None:
    """What was judged there before counts, the same model in the same engine once."""
    of, folder, looks = taught(), Folder(tmp_path, WITHIN, resume=False), [RECIPES[0], RECIPES[2]]
    judging = Judging(of, WITHIN, HoldoutLedger(folder))
    first, second = (final_selection(of, [(recipe, Fidelity(1, 0.5))], WITHIN).contenders for recipe in looks)
    found = [judging.all(contenders).points[0].verdict for contenders in (first, second, second)]
    assert [verdict.together for verdict in found if verdict] == [1, 2, 2]


def test_where_nothing_passes_the_closest_has_the_smallest_bound() -> None:
    """A budget nothing meets has no best, and no points no closest."""
    first, second, third, *_ = finished().points
    points = [judged_as(first, "fail", 0.3), judged_as(second, "fail", 0.1), judged_as(third, "fail", 0.2)]
    assert best(points) is None
    assert closest(points) == 1
    assert closest([]) is None


def test_quantization_alone_is_always_beside_the_finalists() -> None:
    """Even where time reached none of the usual ways: what int8 alone gives is the first thing a reader asks."""
    found = recipes_for_final_selection(Halved([], [], []))
    assert found == [("int8", UNTUNED)]


def test_a_refused_recipe_is_told_with_its_reason() -> None:
    """It is among the tries and in no picture."""
    refused = [trial for trial in finished().trials if trial.recipe == RECIPES[-1]]
    assert refused
    assert "chain of layers" in refused[0].refused
    assert RECIPES[-1] not in [point.recipe for point in finished().points]


def test_what_was_tried_costs_nothing_again() -> None:
    """Resumed with everything there, no trial is made again and the same ones come back."""
    assert again().trials == finished().trials  # their seconds too: they were read, not made


def test_windows_are_counted_and_the_last_is_judged() -> None:
    """The verdict rests on all usable impressions of the test window and no others."""
    outcome = finished()
    for point in outcome.points:
        assert point.verdict is not None
        assert point.verdict.impressions == outcome.impressions["test"]


def test_every_point_has_what_the_page_shows() -> None:
    """Slices, calibration, importance, layers and the int8 engines that were measured."""
    for point in finished().points:
        assert set(point.slices) == set(finished().slice_impressions)
        assert sum(bin_.rows for bin_ in point.calibration) > 1000
        assert point.importance
        assert point.layers
        assert [a.engine for a in point.agreement] == [name for name in point.engines if name.endswith("int8")]
        assert all(0 <= a.overlap <= 1 for a in point.agreement)
        assert point.upper_one_look is not None
        assert point.verdict is not None
        assert point.verdict.upper_95 >= point.upper_one_look
        assert point.verdict.together == len(finished().points)
        assert point.servable == point.recipe.startswith("student")


def test_pruning_shows_in_the_layers() -> None:
    """Half of a pruned student's weights are zeros, against none of the one it came from."""
    pruned = next(point for point in finished().points if "prune" in point.recipe)
    weights = sum(layer.weights for layer in pruned.layers)
    assert sum(layer.zeros * layer.weights for layer in pruned.layers) / weights == pytest.approx(0.5, abs=0.05)
    assert all(layer.error is not None and layer.error > 0 for layer in pruned.layers)


def test_facts_survive_the_file() -> None:
    """What is written is what is read."""
    assert msgspec.json.decode(msgspec.json.encode(finished()), type=Outcome) == finished()


def test_the_best_stands_beside_the_ladder() -> None:
    """Plain rankings and the teacher, each with how far the best is ahead of it, and what that means in a sentence."""
    outcome = finished()
    assert outcome.best is not None
    best = outcome.points[outcome.best].quality["auc"].value
    rankings = {ranking.name: ranking for ranking in outcome.ladder}
    assert {"random", "logistic regression", "gradient boosting", "wide ranker", "teacher"} <= rankings.keys()
    for ranking in rankings.values():
        assert ranking.ahead["auc"].value == pytest.approx(best - ranking.quality["auc"].value)
    assert rankings["teacher"].quality["auc"].value == pytest.approx(outcome.teacher.quality["auc"].value)
    assert ", the best of the ladder: AUC " in sentence(outcome)
