"""Splits follow one another in time, whole impressions each, or the log is refused."""

import itertools

import numpy as np
import pytest
from compression.search.worlds import readers

from streamrec.compression.search.splits import data_hash, split_after_teacher, split_by_time
from streamrec.engine.predictor import COLUMNS
from streamrec.errors import DataError
from streamrec.training.rows import Rows


def test_no_window_looks_ahead() -> None:
    """Each begins after the one before has ended, and together they are the log."""
    rows = readers(400)
    cut = split_by_time(rows)
    for earlier, later in itertools.pairwise(cut):
        assert earlier.at_ms.max() < later.at_ms.min()
        assert not set(earlier.impression) & set(later.impression)
    assert sum(len(part.x) for part in cut) == len(rows.x)


def test_the_test_window_can_be_given() -> None:
    """From a day on, as `--test-from` says."""
    assert split_by_time(readers(400), test_from_ms=350_000).test.at_ms.min() == 350_000


def test_a_log_after_the_teacher_is_cut_like_any_other() -> None:
    """The teacher has seen nothing of it, so all of it may be trained on and judged by."""
    rows = readers(400)
    for test_from_ms in (None, 350_000):
        of_teacher, own = split_after_teacher(rows, 0, test_from_ms), split_by_time(rows, test_from_ms)
        assert [part.at_ms.tolist() for part in of_teacher] == [part.at_ms.tolist() for part in own]


def test_nothing_the_teacher_has_seen_is_in_the_test_window() -> None:
    """It begins where the teacher stopped learning, or later; earlier is refused."""
    rows = readers(400)
    assert split_after_teacher(rows, 300_000).test.at_ms.min() == 300_000
    assert split_after_teacher(rows, 250_000, 300_000).validation.at_ms.min() == 250_000
    with pytest.raises(DataError, match="before the teacher stopped learning"):
        split_after_teacher(rows, 300_000, 250_000)


def one_class(rows: Rows) -> Rows:
    """Nobody clicks in the last quarter."""
    return rows._replace(clicked=rows.clicked & (rows.at_ms < 300_000))


@pytest.mark.parametrize(
    ("rows", "test_from_ms", "message"),
    [
        (readers(30), None, "window has .* impressions"),
        (one_class(readers(400)), None, "the test window has 0 impressions with a clicked and an unclicked"),
        (readers(400), 0, "earlier than the test window has 0"),
        (readers(400), 10**9, "the test window has 0"),
        (readers(400)._replace(x=np.full((3200, COLUMNS), np.nan, np.float32)), None, "NaN"),
    ],
)
def test_what_cannot_be_judged_is_refused(rows: Rows, test_from_ms: int | None, message: str) -> None:
    """Tiny, one-class or broken data: before anything is trained."""
    with pytest.raises(DataError, match=message):
        split_by_time(rows, test_from_ms)


def test_other_data_have_another_hash() -> None:
    """One click more is another question."""
    rows = readers(50)
    clicked = rows.clicked.copy()
    clicked[0] = not clicked[0]
    assert data_hash(rows) == data_hash(readers(50)) != data_hash(rows._replace(clicked=clicked))
