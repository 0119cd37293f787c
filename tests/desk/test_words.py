"""desk/words.py: what editors read and type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrec.desk.words import REASONS, Times, count, pace, quiet, span
from streamrec.engine.policy.suppression_reasons import SUPPRESSION_REASONS


def test_every_reason_has_words() -> None:
    """A reason that is added is explained to editors, too."""
    assert set(SUPPRESSION_REASONS) <= set(REASONS)


@given(st.integers(1_000_000_000_000, 4_000_000_000_000), st.sampled_from(["UTC", "Europe/Copenhagen", "Asia/Kolkata"]))
def test_a_time_that_is_typed_is_the_one_that_was_shown(at_ms: int, zone: str) -> None:
    """To the minute; of an hour that comes twice in autumn the first one is meant."""
    times = Times(zone)
    minute = at_ms // 60_000 * 60_000
    assert times.typed(times.field(minute)) in (minute, minute - 3_600_000)
    assert times.typed("") == 0


@pytest.mark.parametrize("text", ["soon", "2026-13-01T00:00", "0"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """It is said beside the field."""
    with pytest.raises(ValueError, match=r".+"):
        Times("UTC").typed(text)


def test_numbers_and_spans_read_as_people_say_them() -> None:
    """Thousands are set apart; a span has one unit."""
    assert [count(1234567), pace(0.25), pace(1234.5), pace(0)] == ["1,234,567", "0.2", "1,234", "0"]
    assert [span(s) for s in (0.01, 0.5, 45, 600, 7200, 300_000)] == [
        "< 0.1 s",
        "0.5 s",
        "45 s",
        "10 min",
        "2 h",
        "3 days",
    ]
    assert [quiet("22:00-07:00"), quiet("00:00-00:00")] == ["22:00 to 07:00", "none"]


def test_a_clock_says_the_day_only_where_it_is_another() -> None:
    """In the newsroom's zone."""
    times, noon = Times("Europe/Copenhagen"), 1_764_072_000_000
    assert [times.clock(noon, noon), times.clock(noon - 86_400_000, noon)] == ["13:00", "24 Nov, 13:00"]
    assert times.clock(noon - 400 * 86_400_000, noon) == "21 Oct 2024, 14:00"
