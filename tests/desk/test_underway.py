"""desk/underway.py: the pace of an audience is that of the last looks."""

from making import T0

from streamrec.desk.underway import PACE_MS, Audiences
from streamrec.follower.audience import Pace, Progress


def look(at_ms: int, met: int, article_id: str = "storm") -> Progress:
    """Of 100 readers who all are in the audience; whoever was met got it."""
    return Progress(article_id, "Storm", None, T0 + at_ms, "under way", 100, 100, met, 100 - met, met, 1.0, 0)


def test_a_pace_is_that_of_the_looks_of_late() -> None:
    """None at the first look; one that is kept and shown again adds nothing; old ones count no more."""
    audiences = Audiences()
    assert audiences.seen([look(0, 10)])[0].pace is None
    assert audiences.seen([look(0, 10)])[0].pace is None
    assert audiences.seen([look(2_000, 30)])[0].pace == Pace(10.0, 10.0, 7.0)
    later = audiences.seen([look(PACE_MS + 1_000, 49)])[0].pace
    assert later is not None
    assert later.pushes_per_s == 1.0
    assert audiences.seen([look(PACE_MS + 2_000, 0, "flood")])[0].pace is None
    assert audiences.seen([look(PACE_MS + 3_000, 50)])[0].pace is None  # it was gone from the list meanwhile
