"""A threshold says what reaches it, by plain counting; the one for a wanted number lets that many through."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making_rows import impressions

from streamrec.contracts.inputs import DAY_MS
from streamrec.training.threshold import threshold_at, threshold_for

ROWS = impressions(400, 1)._replace(user=np.arange(400) // 10 % 7, at_ms=np.arange(400) // 100 * DAY_MS)
READER_DAYS = len({(int(user), int(at_ms)) for user, at_ms in zip(ROWS.user, ROWS.at_ms, strict=True)})
P = np.random.default_rng(1).random(400).astype(np.float32)


@given(st.floats(0, 1))
def test_it_counts_what_reaches_it(min_score: float) -> None:
    """As a loop over the candidates does, a candidate at the very threshold included."""
    found = threshold_at(min_score, P, ROWS)
    reach = [number for number in range(400) if P[number] >= np.float32(min_score)]
    assert found.share == len(reach) / 400
    assert found.reaching == len(reach) / READER_DAYS
    assert found.impressions == len({int(ROWS.impression[number]) for number in reach}) / 40


@given(st.floats(0.01, 40))
def test_the_wanted_number_reaches_it(wanted: float) -> None:
    """To the nearest candidate; where fewer were shown all of them do."""
    found = threshold_at(threshold_for(wanted, P, ROWS), P, ROWS)
    count = min(400, max(1, round(wanted * READER_DAYS)))
    assert found.reaching == count / READER_DAYS
    assert found.min_score == np.sort(P)[-count]


def test_a_few_hours_of_held_out_rows_change_no_rate() -> None:
    """The same share of them as of all: what a reader is shown a day is asked of all rows."""
    whole, part = threshold_for(2, P, ROWS), threshold_for(2, P[::4], ROWS)
    assert (P[::4] >= part).mean() == pytest.approx((whole <= P).mean(), abs=0.01)


def test_nothing_is_said_to_be_nothing() -> None:
    """A threshold above all probabilities decides nothing, and says so."""
    assert threshold_at(1.0, P, ROWS).says() == "threshold 1: no candidate reaches it, so nothing would be pushed"
    assert "a reader and day" in threshold_at(0.5, P, ROWS).says()
