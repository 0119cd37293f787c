"""Sampled impressions: a click among articles that were really in demand before it."""

import dataclasses
import itertools
from collections import Counter
from functools import cache

from hypothesis import given, settings
from hypothesis import strategies as st
from making import T0

from streamrec.contracts.event import UserEvent
from streamrec.datasets.columns import ColumnLog, Events, columns_of
from streamrec.datasets.records import Impression, Step
from streamrec.datasets.simulated.log import SimulatedLog
from streamrec.datasets.tally import Tally
from streamrec.training.history import HISTORY
from streamrec.training.negatives import HOUR_MS, HOURS, PER_CLICK, WithNegatives, with_negatives


@cache
def clicks() -> ColumnLog:
    """A click log like Globo's: the clicks of simulated readers."""
    steps = list(SimulatedLog(seed=4, n_users=60, hours=10, visits_per_user_day=20))
    users, ids = (dict[str, int](), dict[str, int]())
    rows = [
        (at_ms, users.setdefault(event.user_id, len(users)), ids.setdefault(event.article_id, len(ids)))
        for at_ms, event in steps
        if isinstance(event, UserEvent) and event.action == "click"
    ]
    articles = {step.record.article_id: step for step in steps if step.kind == "article"}  # type: ignore[union-attr]
    of_ids = [articles[name] for name in ids]
    return ColumnLog(
        name="clicks",
        user_ids=list(users),
        article_ids=list(ids),
        articles=[step.record for step in of_ids],  # type: ignore[misc]
        article_at_ms=columns_of([(step.at_ms, 0, 0) for step in of_ids])[0],
        impressions=(),
        impression_at_ms=columns_of([])[0],
        events=Events.of("click", *columns_of(rows)),
        tally=Tally(),
    )


@cache
def sampled(seed: int = 1) -> list[Step]:
    """The same with impressions."""
    return list(with_negatives(clicks(), seed))


def test_each_impression_is_a_click_among_recently_read_articles() -> None:
    """One clicked, up to four others; the others were clicked in the hours before, and not by this user."""
    clicked: list[tuple[int, str, str]] = []
    sizes: Counter[int] = Counter()
    places: Counter[int] = Counter()
    for step, after in itertools.pairwise(sampled()):
        if isinstance(step.record, Impression):
            shown = step.record
            assert isinstance(after.record, UserEvent)
            (at,) = [i for i, hit in enumerate(shown.clicked) if hit]
            assert (after.at_ms, after.record.user_id, after.record.article_id) == (
                step.at_ms, shown.user_id, shown.candidates[at],
            )  # fmt: skip
            recent = {name for at_ms, _, name in clicked if at_ms >= step.at_ms - HOURS * HOUR_MS}
            own = {name for _, user, name in clicked if user == shown.user_id}
            others = set(shown.candidates) - {shown.candidates[at]}
            assert others <= (recent - own if len(own) <= HISTORY else recent)  # more are not remembered
            assert len(set(shown.candidates)) == len(shown.candidates)
            sizes[len(others)] += 1
            places[at] += 1
        elif isinstance(step.record, UserEvent):
            clicked.append((step.at_ms, step.record.user_id, step.record.article_id))
    assert max(sizes) == PER_CLICK
    assert sizes[PER_CLICK] > 0.8 * sum(sizes.values())
    assert len(places) == PER_CLICK + 1  # the place does not give the click away


def test_the_clicked_article_had_readers_like_the_others() -> None:
    """Not one candidate, clicked or not, is without a click in the hours before: else that alone would be the label."""
    clicked: list[tuple[int, str]] = []
    unread = Counter[bool]()
    for step in sampled():
        if isinstance(step.record, Impression):
            recent = {name for at_ms, name in clicked if at_ms >= step.at_ms - HOURS * HOUR_MS}
            unread.update(name not in recent for name in step.record.candidates)
        elif isinstance(step.record, UserEvent) and step.record.action == "click":
            clicked.append((step.at_ms, step.record.article_id))
    assert unread[False] > 100
    assert unread[True] == 0


@settings(max_examples=15, deadline=None)
@given(share=st.floats(0, 1))
def test_nothing_from_the_future_gets_in(share: float) -> None:
    """What is drawn before a time does not depend on what comes after it."""
    whole, log = sampled(), clicks()
    cut_ms = int(whole[0].at_ms + share * (whole[-1].at_ms - whole[0].at_ms))
    earlier = log.events.at_ms < cut_ms
    if not earlier.any():
        return
    cut = dataclasses.replace(log, events=log.events.keep(earlier))
    before = [step for step in with_negatives(cut, 1) if step.at_ms < cut_ms]
    assert before == [step for step in whole if step.at_ms < cut_ms]


def test_the_seed_decides() -> None:
    """Same seed, same impressions; another seed, others."""
    assert list(with_negatives(clicks(), 1)) == sampled(1)
    assert sampled(2) != sampled(1)


def test_the_log_itself_stays_as_it_is() -> None:
    """Impressions are added, nothing else is changed, and the count given before is an upper bound."""
    assert [step for step in sampled() if step.kind != "impression"] == list(clicks())
    count = sum(step.kind == "impression" for step in sampled())
    assert 0 < count <= with_negatives(clicks(), 1).summary.impressions


def test_real_impressions_are_left_alone() -> None:
    """A log that says what was shown needs nothing sampled."""
    log = SimulatedLog(seed=4, n_users=20, hours=2)
    assert with_negatives(log, 1) is log


def test_nothing_to_draw_is_no_impression() -> None:
    """The first click, a repeated one, and one in an empty hour have nothing beside them."""
    rows = [(T0, 0, 0), (T0 + 1, 0, 0), (T0 + 5 * HOUR_MS, 1, 1)]
    log = clicks()
    quiet = WithNegatives(
        ColumnLog("quiet", ["u", "v"], log.article_ids[:2], log.articles[:2], log.article_at_ms[:2], (),
                  log.impression_at_ms, Events.of("click", *columns_of(rows)), Tally()), 1,
    )  # fmt: skip
    assert [step.kind for step in quiet if step.kind != "article"] == ["event"] * 3
