"""Slices hold whole impressions, of the kind their name says."""

import numpy as np
from compression.search.worlds import SLATE, readers

from streamrec.compression.search.score_statistics import LEAST, UNREAD, slices
from streamrec.training.rows import Rows, language_code

TRAIN, TEST = readers(300, seed=1, users=50), readers(400, seed=2, users=90)


def with_columns(rows: Rows) -> Rows:
    """The first half of the rows unread, two thirds English."""
    x = rows.x.copy()
    x[:, UNREAD] = np.arange(len(x)) < len(x) // 2
    codes = [language_code(code) for code in (b"en", b"en", b"da")]
    return rows._replace(x=x, language=np.resize(np.array(codes), len(x)))


def test_impressions_are_never_cut() -> None:
    """A slate in a slice is there with all its candidates."""
    for mask in slices(with_columns(TEST), TRAIN).values():
        counts = np.bincount(TEST.impression[mask])
        assert set(counts[counts > 0]) == {SLATE}


def test_new_and_known_users_share_the_window() -> None:
    """New is who has no impression in training."""
    found = slices(with_columns(TEST), TRAIN)
    assert (found["new user"] != found["known user"]).all()
    assert not set(TEST.user[found["new user"]]) & set(TRAIN.user)


def test_a_slice_of_articles_goes_by_what_was_clicked() -> None:
    """An impression is in `new article` if something clicked in it was unread."""
    rows = with_columns(TEST)
    found = slices(rows, TRAIN)
    clicked = rows.clicked & (rows.x[:, UNREAD] > 0)
    assert set(rows.impression[found["new article"]]) == set(rows.impression[clicked])


def test_languages_are_named_where_there_are_several() -> None:
    """By their letters; a log of one language has no such slice."""
    assert {"language en", "language da"} <= set(slices(with_columns(TEST), TRAIN))
    assert not any(name.startswith("language") for name in slices(TEST, TRAIN))


def test_what_is_too_small_to_judge_is_left_out() -> None:
    """All users of the window known: no slice of new ones."""
    assert "new user" not in slices(TEST, TEST)
    assert LEAST > 0
