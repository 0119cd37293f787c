"""Waiting that only the topic's end can show."""

import pytest
from faust.types import TP
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from slow_log import SlowLog

from streamrec.content.encoder import HashedEncoder
from streamrec.engine.policy.suppression_reasons import SUPPRESSION_REASONS
from streamrec.models.prior import Prior
from streamrec.observability.metrics import Metrics
from streamrec.settings import load
from streamrec.worker.faust_app.app import build_app
from streamrec.worker.fetching.fetch_lag import MOST_ENDS, FetchLag, FetchProgress


def test_records_nobody_hands_over_grow_old() -> None:
    """An end that was seen and is not reached says how long its records wait, and only until it is reached."""
    waiting = FetchLag()
    waiting.note("events", 3, FetchProgress(10, 10), 100.0)
    assert waiting.seconds(3, 100.0) == 0.0
    waiting.note("events", 3, FetchProgress(10, 15), 101.0)
    waiting.note("events", 3, FetchProgress(10, 20), 102.0)
    assert waiting.seconds(3, 103.0) == 2.0
    assert waiting.seconds(4, 103.0) == 0.0
    waiting.note("events", 3, FetchProgress(15, 20), 103.0)
    assert waiting.seconds(3, 103.0) == 1.0
    waiting.note("events", 3, FetchProgress(20, 20), 104.0)
    assert waiting.seconds(3, 104.0) == 0.0


@given(st.lists(st.integers(0, 50), min_size=1, max_size=40))
def test_a_partition_that_keeps_up_never_looks_stuck(arrivals: list[int]) -> None:
    """Under steady load, what was seen at one look is delivered by the next: the wait stays below one interval."""
    waiting, end = FetchLag(), 0
    for second, arrived in enumerate(arrivals):
        delivered, end = end, end + arrived
        waiting.note("events", 0, FetchProgress(delivered, end), float(second))
        assert waiting.seconds(0, float(second)) == 0.0


@settings(max_examples=20)  # of 600 steps each
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=600, max_size=700))
def test_a_long_wait_is_remembered_in_little_room(steps: list[tuple[int, int]]) -> None:
    """Hours of ends are kept as few; what waits never seems younger than it is, and the first not much older."""
    waiting, delivered, end = FetchLag(), 0, 0
    seen_s: list[float] = []  # when each offset was first below an end
    for second, (arrived, handed_over) in enumerate(steps):
        end, at_s = end + arrived, float(second)
        seen_s += [at_s] * arrived
        delivered = min(end, delivered + handed_over // 2)
        waiting.note("events", 0, FetchProgress(delivered, end), at_s)
        assert len(waiting._ends["events", 0]) <= MOST_ENDS
        if delivered < end:
            real_s = at_s - seen_s[delivered]
            assert real_s <= waiting.seconds(0, at_s) <= real_s + len(steps) / MOST_ENDS * 4
        assert (waiting.oldest("events", 0) > delivered) == (delivered < end)


def test_a_rebalance_starts_the_count_anew() -> None:
    """Records wait for a recovery on purpose."""
    waiting = FetchLag()
    for second in (1.0, 2.0):
        waiting.note("events", 0, FetchProgress(0, 5), second)
    waiting.forget()
    assert waiting.seconds(0, 100.0) == waiting.standstill_s("events", 0) == 0.0


def test_a_long_backlog_is_no_standstill() -> None:
    """Its first end is out of reach for hours, and a worker that is restarted because of it never gets there."""
    waiting = FetchLag()
    for second in range(3600):
        waiting.note("events", 0, FetchProgress(1000 * second, 50_000_000 + 900 * second), float(second))
        assert waiting.standstill_s("events", 0) == 0.0
    assert waiting.seconds(0, 3600.0) == 3600.0


def test_one_input_that_is_never_handed_over_stands_still() -> None:
    """However well the others go, and from when it had something."""
    waiting = FetchLag()
    for second in range(100):
        waiting.note("events", 0, FetchProgress(7, 7 if second < 20 else 8), float(second))
        waiting.note("catalog", 0, FetchProgress(second, second + 1), float(second))
        waiting.note("events", 1, FetchProgress(second, second + 1), float(second))
    assert waiting.standstill_s("events", 0) == 79.0
    assert waiting.standstill_s("catalog", 0) == waiting.standstill_s("events", 1) == 0.0


def test_who_did_not_look_saw_no_standstill() -> None:
    """A broker that does not answer, or a process that was stopped for a while, is no evidence."""
    waiting = FetchLag()
    for second in (0.0, 1.0, 2.0, 100.0, 101.0):
        waiting.note("events", 0, FetchProgress(0, 5), second)
    assert waiting.standstill_s("events", 0) == 1.0


def test_articles_are_not_booked_on_partition_0() -> None:
    """Which waits for nothing, or is another worker's."""
    metrics = Metrics(CollectorRegistry(), SUPPRESSION_REASONS)
    app = build_app(load({}), Prior(), HashedEncoder(), metrics, SlowLog())
    app.note_fetch_progress({TP("articles", 0): FetchProgress(3, 5), TP("events", 0): FetchProgress(5, 5)}, "articles")
    assert app.ownership.fetch_lag.seconds(0, 1e12) == 0.0
    assert app.content.fetch_lag.seconds(0, 1e12) > 0.0
    app.note_fetch_progress({}, "articles")
    assert app.content.fetch_lag.seconds(0, 1e12) == 0.0


def test_a_worker_that_stands_still_ends_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """No supervisor has to ask /live, which has failed for as long again by then."""
    metrics, ended = Metrics(CollectorRegistry(), SUPPRESSION_REASONS), list[BaseException]()
    app = build_app(load({}), Prior(), HashedEncoder(), metrics, SlowLog())
    monkeypatch.setattr(app, "fail", ended.append)
    for second, is_live, is_over in ((0, True, False), (30, True, False), (32, False, False), (62, False, True)):
        for at_s in range(second):
            app.content.fetch_lag.note("articles", 0, FetchProgress(3, 5), float(at_s + 1))
        app.end_if_stuck(30.0)
        assert (not app.stuck_s(30.0)) == is_live
        assert bool(ended) == is_over
        app.content.fetch_lag.forget()
    assert str(ended[0]).startswith("articles: nothing was handed over or committed for 61 s")
