"""The rate that the running figures show."""

from hypothesis import given
from hypothesis import strategies as st

from streamrec.tools.demo.performance import RATE_WINDOW_S, RecentRate


@given(st.lists(st.floats(0.01, 20.0), min_size=1, max_size=50))
def test_a_steady_stream_has_its_rate_whatever_the_intervals(intervals_s: list[float]) -> None:
    """A short last interval is divided by its own length, not by a whole one."""
    rate, now_s = RecentRate(100.0), 100.0
    for interval_s in intervals_s:
        now_s += interval_s
        events_per_s = rate.after(now_s, round((now_s - 100.0) * 1_000_000))
        assert abs(events_per_s - 1_000_000) < 1_000


def test_what_is_long_past_does_not_count() -> None:
    """After a quiet window the rate is zero."""
    rate = RecentRate(0.0)
    assert rate.after(1.0, 500) == 500
    assert rate.after(1.0 + RATE_WINDOW_S, 500) == 0


def test_no_time_no_rate() -> None:
    """Asked at once it is zero, not an error."""
    assert RecentRate(5.0).after(5.0, 0) == 0
