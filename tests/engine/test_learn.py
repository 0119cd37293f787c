"""What events change in the row: each action once an article, and of two statements the later by its own time."""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import DAY, HOUR, T0, Feed, article, click, columns, partition, policy

from streamrec.contracts.event import KINDS, Action, UserEvent
from streamrec.contracts.ids import CATEGORIES, key_of
from streamrec.engine.profiles.layout import CONSENT_IN, CONSENT_OUT, NEGATIVES, WAITING
from streamrec.engine.profiles.zones import zone_slots

CONSENTS = st.lists(st.tuples(st.sampled_from(["subscribe", "unsubscribe"]), st.integers(0, 5)), min_size=1, max_size=8)
TEACHING = sorted(action for action, kind in KINDS.items() if kind.worth and kind.needs_article)


def said(action: Action, at_ms: int, **more: Any) -> UserEvent:
    """Something ann said."""
    return UserEvent("ann", action, at_ms, **more)


@given(CONSENTS, st.data())
def test_the_later_word_on_consent_holds(words: list[tuple[Action, int]], data: st.DataObject) -> None:
    """In whatever order statements arrive and batches are cut; at one time the opt-out."""
    latest = max(words, key=lambda word: (word[1], word[0] == "unsubscribe"))
    feed = Feed(partition())
    left = data.draw(st.permutations(words))
    while left:
        size = data.draw(st.integers(1, len(left)))
        feed.events(*(said(action, T0 + at) for action, at in left[:size]), now_ms=T0 + HOUR)
        left = left[size:]
    row = feed.to.profiles
    assert row["consent"].tolist() == [CONSENT_OUT if latest[0] == "unsubscribe" else CONSENT_IN]
    assert row["consent_at_ms"].tolist() == [T0 + latest[1]]


def test_yesterdays_subscribe_enables_nothing() -> None:
    """It happened before the opt-out, whenever it arrives."""
    feed = Feed(partition())
    feed.events(said("unsubscribe", T0))
    feed.events(said("subscribe", T0 - DAY))
    assert feed.to.profiles["consent"].tolist() == [CONSENT_OUT]


def test_the_later_zone_and_language_hold() -> None:
    """A phone that was offline tells where its owner was, not where they are."""
    late, in_time = Feed(partition()), Feed(partition())
    events = (
        click("ann", "da", at_ms=T0, tz="Europe/Copenhagen"),
        click("ann", "en", at_ms=T0 + HOUR, tz="America/New_York"),
    )
    for feed, order in ((in_time, events), (late, events[::-1])):
        feed.articles(article("da", language="da"), article("en", language="en"))
        for event in order:
            feed.events(event, now_ms=T0 + HOUR)
    for name in ("zone", "zone_slot", "zone_at_s", "language"):
        assert late.to.profiles[name].tolist() == in_time.to.profiles[name].tolist(), name
    assert late.to.profiles["language"].tolist() == [b"en"]
    assert late.to.profiles["zone"].tolist() == [key_of("America/New_York")]
    assert late.to.profiles["zone_slot"].tolist() == zone_slots(late.to.profiles["zone"]).tolist() != [0]
    assert late.to.profiles["zone_at_s"].tolist() == [(T0 + HOUR) // 1000]


def test_a_zone_is_its_own_users() -> None:
    """Of many who say where they are in one batch, some of them twice, each keeps the last place they named."""
    feed = Feed(partition())
    zones = [("ann", "Asia/Tokyo"), ("bo", "Europe/Oslo"), ("ann", "Europe/Rome"), ("cy", ""), ("bo", "Asia/Dubai")]
    feed.events(*(click(user, at_ms=T0 + number, tz=zone) for number, (user, zone) in enumerate(zones)))
    assert feed.to.profiles.users == ["ann", "bo", "cy"]
    assert feed.to.profiles["zone"].tolist() == [key_of("Europe/Rome"), key_of("Asia/Dubai"), 0]


@pytest.mark.parametrize(("dwell_s", "teaches"), [(0.0, False), (9.9, False), (10.0, True), (600.0, True)])
def test_a_look_of_ten_seconds_teaches(dwell_s: float, teaches: bool) -> None:
    """And a shorter one does not, neither of a known article nor of one that is still to come."""
    known, unknown = Feed(partition()), Feed(partition())
    known.articles(article("a1"))
    for feed in (known, unknown):
        feed.events(said("dwell", T0, article_id="a1", dwell_s=dwell_s))
    unknown.articles(article("a1"))
    for feed in (known, unknown):
        assert feed.to.profiles["interest"].any() == teaches
        assert feed.to.profiles["n_reads"].tolist() == [0]


@given(st.permutations([(category, hours) for category in range(NEGATIVES + 2) for hours in (0, 30, 60)]))
def test_no_cooldown_gets_shorter(dislikes: list[tuple[int, int]]) -> None:
    """Neither by a late dismiss of its category nor by one of another."""
    names = ("sports", "politics", "science", "travel", "food", "music")
    feed = Feed(partition())
    feed.articles(*(article(f"{name}{hours}", category=name) for name in names for hours in (0, 30, 60)))
    rests: dict[int, int] = {}
    for category, hours in dislikes:
        at_ms = T0 - (category * 60_000) - hours * HOUR
        feed.events(said("dismiss", at_ms, article_id=f"{names[category]}{hours}"), now_ms=T0)
        negatives = feed.to.profiles["negatives"][0]
        now = {int(slot): int(until_s) for slot, until_s in negatives if until_s}
        ends = sorted(rests.values(), reverse=True)
        assert sorted(now.values(), reverse=True)[: len(ends)] >= ends
        assert all(now.get(slot, 0) >= until_s or until_s == min(ends) for slot, until_s in rests.items())
        rests = now
    longest = {CATEGORIES.index(name): T0 // 1000 - 60 * i + policy().cooldown_s for i, name in enumerate(names)}
    assert rests == dict(itertools.islice(longest.items(), NEGATIVES))


@pytest.mark.parametrize("action", TEACHING)
def test_an_action_counts_once_an_article(action: Action) -> None:
    """Delivered twice, in one batch or in two, or said twice; another article, or action, counts."""
    event = UserEvent("ann", action, T0, "a1", dwell_s=60)
    once, twice = Feed(partition()), Feed(partition())
    for feed, batches in (
        (once, [[event]]),
        (twice, [[event, event], [event], [UserEvent("ann", action, T0, "a1", dwell_s=50)]]),
    ):
        feed.articles(article("a1"), article("a2"))
        for batch in batches:
            feed.events(*batch)
    assert columns(once.to) == columns(twice.to)
    for other in (
        UserEvent("ann", action, T0, "a2", dwell_s=60),
        click("ann", "a1") if action not in ("click", "open") else None,
    ):
        if other:
            before = once.to.profiles["interest"].copy()
            once.events(other)
            assert (once.to.profiles["interest"] != before).any()


def test_the_oldest_of_five_waiting_events_gives_way() -> None:
    """In whatever order they came."""
    for order in itertools.permutations(range(WAITING + 1)):
        feed = Feed(partition())
        for number in order:
            feed.events(click("ann", f"a{number}", at_ms=T0 + number * 1000), now_ms=T0 + HOUR)
        waits = sorted(feed.to.profiles["waiting"]["at_s"][0].tolist())
        assert waits == [T0 // 1000 + number for number in range(1, WAITING + 1)]


def test_what_is_unknown_is_counted_where_it_teaches() -> None:
    """Not an article the catalog holds, in whichever slot, nor what says nothing of it."""
    feed = Feed(partition())
    feed.articles(article("a0"), article("a1"))
    events = (click("ann", "a0"), click("ann", "a1"), said("impression", T0, article_id="x"), click("ann", "y"))
    assert [feed.events(event).unknown for event in events] == [0, 0, 0, 1]


def test_a_waiting_dislike_rests_the_category_when_its_article_comes() -> None:
    """From when it was said on."""
    feed = Feed(partition())
    feed.events(said("dislike", T0, article_id="a1"))
    feed.articles(article("a1", category="sports"))
    slot, until_s = feed.to.profiles["negatives"][0, 0]
    assert (slot, until_s) == (CATEGORIES.index("sports"), T0 // 1000 + policy().cooldown_s)
    assert np.count_nonzero(feed.to.profiles["negatives"]["until_s"]) == 1
