"""Simulated readers: a known truth, visits that follow it, and a log made of them."""

import zoneinfo
from itertools import pairwise

import msgspec
import numpy as np
import pytest
from datasets.stored_logs import check_log
from hypothesis import given, settings
from hypothesis import strategies as st

from streamrec.arrays import DoubleArray, IndexArray
from streamrec.contracts.event import UserEvent
from streamrec.datasets.records import Impression
from streamrec.datasets.simulated.log import SimulatedLog
from streamrec.datasets.simulated.newsroom import Newsroom, SimArticle
from streamrec.datasets.simulated.readers import ZONES, Readers
from streamrec.datasets.simulated.visits import visit
from streamrec.datasets.simulated.vocabulary import vocabulary
from streamrec.tools.simulation.lift import lift

T0 = 1_767_225_600_000
HOUR_MS = 3_600_000
NOW_MS = T0 + 48 * HOUR_MS
EVERYONE = np.arange(1_000)


@pytest.fixture(scope="module")
def readers() -> Readers:
    """A thousand readers."""
    return Readers(1_000, seed=11)


@pytest.fixture(scope="module")
def newsroom() -> Newsroom:
    """Two days of news."""
    newsroom = Newsroom(11)
    for _ in newsroom.stream(T0, NOW_MS, 30):
        pass
    return newsroom


@given(seed=st.integers(0, 2**31), after_h=st.floats(-1, 500))
@settings(max_examples=25, deadline=None)
def test_probabilities_are_probabilities(newsroom: Newsroom, seed: int, after_h: float) -> None:
    """Whatever the readers and the hour, p_click is within [0, 1] and (N, M)."""
    shown = newsroom.fresh(NOW_MS)[:30]
    p = Readers(20, seed).p_click(np.arange(20), shown, NOW_MS + int(after_h * HOUR_MS))
    assert p.shape == (20, len(shown))
    assert ((p >= 0) & (p <= 1)).all()


def test_a_match_is_far_likelier_than_chance(readers: Readers, newsroom: Newsroom) -> None:
    """3-5 % for a random fresh article; 25-60 % for new ones in a strong category and a language the reader reads."""
    p = readers.p_click(EVERYONE, newsroom.fresh(NOW_MS), NOW_MS)
    assert 0.03 < p.mean() < 0.05
    new = newsroom.fresh(NOW_MS, hours=3)
    category = [vocabulary().categories.index(article.event.category) for article in new]
    matched = (readers.interest[:, category] >= 0.7) & readers.reads[:, [article.language for article in new]]
    assert 0.25 < readers.p_click(EVERYONE, new, NOW_MS)[matched].mean() < 0.60


def test_interest_in_an_article_fades(readers: Readers, newsroom: Newsroom) -> None:
    """An older article is clicked less by the same reader, and half as often after one half-life."""
    shown = newsroom.fresh(NOW_MS, hours=1)
    now, later = (readers.p_click(EVERYONE, shown, NOW_MS + hours * HOUR_MS) for hours in (0, 16))
    np.testing.assert_allclose(later, now / 2)


def test_each_reader_has_a_few_strong_categories(readers: Readers) -> None:
    """Two or three strong categories each; activity has a heavy tail; zones exist."""
    strong = (readers.interest >= 0.7).sum(axis=1)
    assert set(strong.tolist()) == {2, 3}
    top_tenth = np.sort(readers.activity)[-100:].sum() / readers.activity.sum()
    assert top_tenth > 0.3
    assert set(ZONES) <= zoneinfo.available_timezones()


def test_the_same_seed_makes_the_same_readers(readers: Readers, newsroom: Newsroom) -> None:
    """Truth follows from the seed alone and does not depend on who else is asked about."""
    shown = newsroom.fresh(NOW_MS)
    again = Readers(1_000, seed=11).p_click(EVERYONE[5:7], shown[3:], NOW_MS)
    assert (again == readers.p_click(EVERYONE, shown, NOW_MS)[5:7, 3:]).all()


def test_visitors_sleep_at_night(readers: Readers) -> None:
    """At three at night in a zone its readers visit far less than at three in the afternoon."""
    shanghai = readers.zone == ZONES.index("Asia/Shanghai")  # UTC+8
    night, day = (readers.visit_weights(T0 + hour * HOUR_MS)[shanghai].sum() for hour in (19, 7))
    assert night < day / 3


def test_a_visit_is_valid_and_agrees_with_itself(readers: Readers, newsroom: Newsroom) -> None:
    """Events pass the contract, and exactly the clicked candidates have a click."""
    rng = np.random.default_rng(0)
    fresh = newsroom.fresh(NOW_MS)
    for _ in range(200):
        came = visit(readers, fresh, NOW_MS, rng)
        for event in came.events:
            assert msgspec.json.decode(msgspec.json.encode(event), type=UserEvent) == event
        shown = came.impression
        assert len(set(shown.candidates)) == 10
        hits = {name for name, hit in zip(shown.candidates, shown.clicked, strict=True) if hit}
        assert {event.article_id for event in came.events if event.action == "click"} == hits


def test_clicks_follow_the_truth(readers: Readers, newsroom: Newsroom) -> None:
    """Over many impressions the share clicked is the mean true probability, within four standard errors."""
    fresh = {article.event.article_id: article for article in newsroom.fresh(NOW_MS)}
    rng = np.random.default_rng(1)
    shown = [visit(readers, list(fresh.values()), NOW_MS, rng).impression for _ in range(2_000)]
    truth = np.concatenate([_truth(readers, fresh, impression) for impression in shown])
    clicked = np.concatenate([impression.clicked for impression in shown])
    error = np.sqrt((truth * (1 - truth)).sum()) / len(truth)
    assert abs(clicked.mean() - truth.mean()) < 4 * error


def _truth(readers: Readers, fresh: dict[str, SimArticle], impression: Impression) -> DoubleArray:
    user = np.array([readers.number_of[impression.user_id]])
    return readers.p_click(user, [fresh[name] for name in impression.candidates], NOW_MS).ravel()


def test_lift_tells_good_pushes_from_random_ones(readers: Readers, newsroom: Newsroom) -> None:
    """Random pushes have a lift of about one, the best possible ones of many times that; none at all has none."""
    fresh = newsroom.fresh(NOW_MS)
    rng = np.random.default_rng(2)
    users = EVERYONE[:300]
    best = readers.p_click(users, fresh, NOW_MS).argmax(axis=1)

    def pushes(chosen: IndexArray) -> list[tuple[str, str, int]]:
        return [
            (readers.ids[user], fresh[index].event.article_id, NOW_MS)
            for user, index in zip(users, chosen, strict=True)
        ]

    assert 0.5 < lift(readers, newsroom, pushes(rng.integers(len(fresh), size=300))).ratio < 2
    good = lift(readers, newsroom, pushes(best))
    assert good.pushes == 300
    assert good.ratio > good.ratio_own_language > 5
    nothing = lift(readers, newsroom, [("u0000", "of-another-newsroom", NOW_MS)])
    assert nothing.pushes == 0
    assert np.isnan(nothing.ratio)


def test_a_simulated_log_keeps_the_rules_of_real_ones() -> None:
    """Order, articles before their readers, counts: as for every loader, and the same for the same seed."""
    log = SimulatedLog(5, n_users=200, hours=24)
    check_log(log)
    assert list(log) == list(SimulatedLog(5, n_users=200, hours=24))
    assert log.summary.impressions > 300
    times = [step.at_ms for step in log]
    assert all(earlier <= later for earlier, later in pairwise(times))


def test_a_played_log_leaves_its_articles_for_lift() -> None:
    """`play` fills the newsroom it is given, with the articles of the steps."""
    log, newsroom = SimulatedLog(5, n_users=50, hours=2), Newsroom(5)
    played = {step.record.article_id for step in log.play(newsroom) if step.kind == "article"}  # type: ignore[union-attr]
    assert played == set(newsroom.articles)
