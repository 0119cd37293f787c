"""What `streamrec chaos` prints of a run that failed."""

import pytest

from streamrec.chaos.cluster_run import Outcome
from streamrec.chaos.verdict import Verdict
from streamrec.commands import chaos
from streamrec.commands.chaos import SHOWN


@pytest.mark.parametrize(("count", "lines"), [(0, 0), (SHOWN, SHOWN), (SHOWN + 1, SHOWN + 1), (300, SHOWN + 1)])
def test_a_failing_run_fits_a_screen(count: int, lines: int, capsys: pytest.CaptureFixture[str]) -> None:
    """The first findings, and how many more there are."""
    verdict = Verdict(runs=1)
    for number in range(count):
        verdict.violate(f"the row of u{number} differs")
    chaos._tell(7, Outcome("kill", verdict, {1: 2}, 3.0))
    head, *found = capsys.readouterr().out.splitlines()
    assert ("FAILED" in head) == (count > 0)
    assert "exits: 2 x 1" in head
    assert len(found) == lines
    assert count <= SHOWN or found[-1].strip() == f"and {count - SHOWN} more like these"


def test_topics_that_stay_are_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    """By what their names begin with, so that they can be looked into and deleted."""
    chaos._tell(7, Outcome("kill", Verdict(runs=1), {}, 3.0, kept="chaos-7-ab12cd."))
    assert "still there: chaos-7-ab12cd.*" in capsys.readouterr().out
