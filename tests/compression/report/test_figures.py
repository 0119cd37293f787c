"""Pictures say in words what they draw, and no model can make the others unreadable."""

import msgspec
from compression.search.finished import finished

from streamrec.compression.report import figures as pictures
from streamrec.compression.report import part_figures as parts
from streamrec.compression.report.page import page
from streamrec.compression.report.pareto_figure import draw, picture
from streamrec.compression.report.svg import png, svg
from streamrec.compression.search.outcome import Point
from streamrec.compression.search.summary import LETTERS, percent
from streamrec.compression.verdict import Verdict


def hopeless(point: Point) -> Point:
    """A loss a hundred times the budget."""
    verdict = Verdict("fail", 0.005, 0.5, 0.45, 0.55, 0.03, 400, None)
    return msgspec.structs.replace(point, verdict=verdict)


def test_every_model_is_in_the_words() -> None:
    """Of the pictures that show all of them."""
    for drawn in (picture(finished()), pictures.losses(finished())):
        for letter, _ in zip(LETTERS, finished().points, strict=False):
            assert f"{letter}: " in drawn.alt


def test_a_loss_far_beyond_the_budget_is_a_number_at_the_edge() -> None:
    """Its line would squeeze all others into a point."""
    first, *others = finished().points
    request = msgspec.structs.replace(finished().request, max_loss=0.005)
    drawn = pictures.losses(msgspec.structs.replace(finished(), request=request, points=[hopeless(first), *others]))
    assert percent(0.5) in drawn.svg
    assert "budget 0.50 %" in drawn.svg


def test_nothing_near_the_budget_is_a_picture_too() -> None:
    """All models far beyond it: numbers at the edge, and the budget's line."""
    request = msgspec.structs.replace(finished().request, max_loss=0.0001)
    points = [hopeless(point) for point in finished().points]
    outcome = msgspec.structs.replace(finished(), request=request, points=points, best=None, closest=0)
    assert pictures.losses(outcome).svg.count(f">{percent(0.5)} ") == len(points)
    assert "Nothing was shown to meet the budget of 0.01 %" in page(outcome)


def test_no_probes_no_map() -> None:
    """A short search has no time for sensitivity."""
    assert parts.sensitivity(msgspec.structs.replace(finished(), probes=[])) is None
    drawn = parts.sensitivity(finished())
    assert drawn is not None
    assert "scorer.0" in drawn.svg


def test_drawings_are_text_and_repeat_themselves() -> None:
    """Letters stay letters, so they can be searched, scaled and read out; the same facts give the same bytes."""
    first, second = svg(draw(finished())), svg(draw(finished()))
    assert first == second
    assert ">AUC</text>" in first
    assert png(draw(finished())).startswith(b"\x89PNG")


def test_calibration_error_is_the_mean_gap() -> None:
    """Weighted by rows."""
    point = finished().teacher
    gaps = [abs(bin_.predicted - bin_.clicked) * bin_.rows for bin_ in point.calibration]
    assert pictures.calibration_error(point) * sum(bin_.rows for bin_ in point.calibration) - sum(gaps) < 1e-9
