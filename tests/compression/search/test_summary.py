"""The last line and the sentence say what scripts and people need, also when nothing was found."""

import io

import msgspec
from compression.search.finished import finished
from rich.console import Console

from streamrec.compression.report.page import page
from streamrec.compression.search.summary import last_line, left_out, refused, sentence, table, undecided
from streamrec.compression.verdict import Verdict


def test_the_last_line_has_the_promised_keys() -> None:
    """candidates, best with its ratios and verdict, teacher."""
    line = last_line(finished())
    assert line["candidates"] == 5
    assert set(line["best"]) >= {
        "recipe",
        "size_ratio",
        "speed_ratio_1",
        "speed_ratio_256",
        "auc",
        "auc_loss_upper_95",
        "verdict",
    }
    assert line["best"]["verdict"] == "pass"
    assert line["met"] is True
    assert 0.5 < line["teacher"]["auc"] < 1


def test_nothing_met_is_said_with_the_closest() -> None:
    """The keys stay, the verdict and `met` tell; the sentence names who came closest and by how much."""
    outcome = msgspec.structs.replace(finished(), best=None, closest=1, left_out=["qat"])
    assert last_line(outcome)["met"] is False
    assert last_line(outcome)["best"]["recipe"] == outcome.points[1].recipe
    assert "nothing was shown to meet the budget of 20.00 %" in sentence(outcome)
    assert outcome.points[1].recipe in sentence(outcome)
    assert left_out(outcome).startswith("time left out 1 trial;")
    assert left_out(msgspec.structs.replace(outcome, left_out=[])) == ""


def test_what_few_readers_cannot_decide_is_not_called_passing() -> None:
    """How many there were stands in sentence, table and page, and no bound does that 95 % are promised of."""
    outcome = finished()
    point = outcome.points[0]
    few = msgspec.structs.replace(
        point, verdict=Verdict("not decidable", 0.2, 0.011, 0.0, 0.0321, 0.01, 400, 1234, 1, 47)
    )
    outcome = msgspec.structs.replace(outcome, points=[few], best=None, closest=0)
    said = sentence(outcome)
    assert "47 readers, and under 100 nothing is decided; needs about 1,200 impressions" in said
    assert "3.21 %" not in said
    shown = io.StringIO()
    Console(file=shown, width=400).print(table(outcome))
    assert "not decidable: 47 readers" in shown.getvalue()
    assert "3.21 %" not in shown.getvalue()
    drawn = page(outcome)
    cards, models = (drawn.split(mark)[1].split("</section>")[0] for mark in ("</h1>", 'id="models"'))
    assert "undecided" in cards
    assert "47 readers, and under 100 nothing is decided" in cards
    assert "47 readers, and under 100 nothing is decided" in models
    assert "3.21 %" not in cards.split("<main>")[0]
    assert last_line(outcome)["best"]["readers"] == 47


def test_what_could_be_better_but_is_not_proven_is_named() -> None:
    """Beside a proven best: how small and fast, and how many impressions would decide it."""
    outcome = finished()
    assert outcome.best is not None
    assert undecided(outcome) is None
    best = outcome.points[outcome.best]
    verdict = Verdict("not decidable", 0.2, 0.1, 0.0, 0.3, 0.06, 400, 1234)
    promising = msgspec.structs.replace(best, recipe="qat", size_ratio=best.size_ratio * 2, verdict=verdict)
    more = msgspec.structs.replace(outcome, points=[*outcome.points, promising])
    assert undecided(more) == promising
    assert "needs about 1,200 impressions" in sentence(more)
    assert last_line(more)["undecided"]["impressions_needed"] == 1234
    assert last_line(more)["best"]["recipe"] == best.recipe


def test_without_one_within_the_budget_the_smallest_undecided_is_named() -> None:
    """How many impressions would decide on the model that was asked for is an answer, too."""
    outcome = finished()
    assert outcome.best is not None
    best = outcome.points[outcome.best]
    verdicts = [Verdict("not decidable", 0.2, loss, 0.0, 0.5, 0.1, 400, 4000) for loss in (0.3, 0.1)]
    over, within = (
        msgspec.structs.replace(best, recipe=name, size_ratio=best.size_ratio * times, verdict=verdict)
        for name, times, verdict in zip(("over", "within"), (9, 2), verdicts, strict=True)
    )
    assert undecided(msgspec.structs.replace(outcome, points=[*outcome.points, over])) == over
    assert undecided(msgspec.structs.replace(outcome, points=[*outcome.points, over, within])) == within


def test_everything_refused_is_said_too() -> None:
    """There is no closest then."""
    outcome = msgspec.structs.replace(finished(), best=None, closest=None, points=[])
    assert "all recipes were refused" in sentence(outcome)
    assert last_line(outcome)["best"] is None


def test_the_table_has_a_row_for_each_model() -> None:
    """The teacher first, with its size and interval."""
    out = io.StringIO()
    Console(file=out, width=250).print(table(finished()))
    lines = out.getvalue().splitlines()
    assert lines[1].startswith("teacher")
    assert lines[2].startswith("A ")
    assert len(lines) == 2 + len(finished().points)


def test_engines_that_were_not_measured_are_told_with_the_reason() -> None:
    """Models with the same reason share a line."""
    first, second, *rest = finished().points
    missing = {"ort_int8": "onnx not installed"}
    points = [msgspec.structs.replace(point, engines_refused=missing) for point in (first, second)]
    others = [msgspec.structs.replace(point, engines_refused={}) for point in rest]
    outcome = msgspec.structs.replace(finished(), points=[*points, *others])
    assert refused(outcome) == ["ort_int8 for A, B: onnx not installed"]
    assert "Not measured: ort_int8 for A, B: onnx not installed." in page(outcome)


def test_a_reference_that_met_it_alone_is_told_as_one() -> None:
    """Both are said: nothing that serves met the budget, and what did; a failed nDCG@10 is not hidden either."""
    outcome = finished()
    reference = next(n for n, point in enumerate(outcome.points) if not point.servable)
    servable = next(n for n, point in enumerate(outcome.points) if point.servable)
    fail = Verdict("fail", 0.2, 0.4, 0.3, 0.5, 0.06, 400, None)
    points = [
        msgspec.structs.replace(point, verdict_ndcg_10=fail, **({"verdict": fail} if point.servable else {}))
        for point in outcome.points
    ]
    alone = msgspec.structs.replace(outcome, points=points, best=reference, closest=servable)
    said = sentence(alone)
    assert said.startswith("nothing that a worker can serve was shown to meet the budget of 20.00 %; the closest is ")
    assert f"; to compare with: {points[reference].recipe} in " in said
    assert "which no worker serves" in said
    assert "its loss of nDCG@10, which decides nothing here, is above: 40.00 %" in said
    line = last_line(alone)
    assert (line["met"], line["best"]["servable"], line["best"]["verdict"]) == (False, False, "pass")
    asked = msgspec.structs.replace(alone, references_only=True)
    assert sentence(asked).startswith(f"best: {points[reference].recipe} in ")
    assert last_line(asked)["met"] is True


def test_the_confidence_names_all_that_share_it() -> None:
    """95 % hold for all models judged on these impressions, not for the best alone."""
    count = len(finished().points)
    assert f"95 % confidence (of all {count} models judged on these impressions together)" in sentence(finished())
