"""Rules on pushes and events: only what is certain is judged."""

from datetime import UTC, datetime
from typing import cast

import pytest
from operations.audit.audited import HOUR, MINUTE, PARTITIONS, SETTINGS, T0, Cluster, push, reads, row

from streamrec.contracts.ids import key_of
from streamrec.contracts.partitioner import partition_of
from streamrec.engine.profiles.layout import CONSENT_IN, CONSENT_OUT
from streamrec.partition.changelog_meta import OWNER_KEY

HOME = partition_of("ann", PARTITIONS)
ELSEWHERE = (HOME + 1) % PARTITIONS
LATER = T0 + 10 * MINUTE


def left(consent: int = CONSENT_OUT, at_ms: int = LATER) -> Cluster:
    """Somebody who unsubscribed, whose event was applied at once, and who got a push at `at_ms`."""
    cluster, made = Cluster(), push(at_ms=at_ms)
    cluster.event("ann", "unsubscribe", "", T0)
    cluster.applied(T0 + 1000)
    cluster.row("ann", row(made, consent=consent))
    cluster.pushes(made)
    return cluster


def test_a_push_after_an_opt_out_is_found() -> None:
    """The event was applied minutes before the push was made."""
    assert left().broken() == {"opt_out": 1}


def test_a_push_near_an_opt_out_is_not_judged_against_it() -> None:
    """Clocks differ: within a minute nobody can tell which was first, unless there is one clock only."""
    assert left(at_ms=T0 + 30_000).broken() == {}
    assert left(at_ms=T0 + 30_000).broken(skew_ms=0) == {"opt_out": 1}
    assert left(at_ms=T0 + 1000).broken(skew_ms=0) == {}


def test_who_subscribed_again_may_get_pushes() -> None:
    """In the same partition, in another one, or by the row alone: in each case the opt-out is over."""
    again = left()
    again.event("ann", "subscribe", "", T0 + 1)
    strayed = left()
    strayed.event("ann", "subscribe", "", T0 + 1, partition=ELSEWHERE)
    assert again.broken() == strayed.broken() == left(CONSENT_IN).broken() == {}


@pytest.mark.parametrize("partition", range(PARTITIONS))
def test_what_was_said_between_two_opt_outs_counts_wherever_they_lie(partition: int) -> None:
    """Partitions are read one after the other: the second opt-out may be met before what took the first back."""
    cluster, made = Cluster(), push(at_ms=LATER)
    cluster.event("ann", "unsubscribe", "", T0, partition=partition)
    cluster.event("ann", "subscribe", "", T0 + 1)
    cluster.applied(T0 + 1000)
    cluster.event("ann", "unsubscribe", "", T0 + HOUR, partition=partition)
    cluster.row("ann", row(made, consent=CONSENT_OUT))
    cluster.pushes(made)
    assert cluster.broken() == {}


def backlog(appended_ms: int, begun_ms: int | None, made_ms: int) -> Cluster:
    """An opt-out that was applied an hour later, an owner who began in between, and a push."""
    cluster, made = Cluster(), push(at_ms=made_ms)
    if begun_ms is not None:
        cluster.append("changelog", HOME, OWNER_KEY, b"{}", begun_ms)
    cluster.event("ann", "unsubscribe", "", appended_ms)
    cluster.applied(T0 + HOUR)
    cluster.row("ann", row(made, consent=CONSENT_OUT))
    cluster.pushes(made)
    return cluster


def test_a_push_before_the_backlog_was_applied_is_found() -> None:
    """Who takes a partition over applies first what stands in its inputs, however much that is."""
    assert backlog(T0, T0 + 2000, T0 + 3000).broken(skew_ms=0) == {"opt_out": 1}
    assert backlog(T0, T0 + 2000, T0 + 1500).broken(skew_ms=0) == {}  # by the owner before
    assert backlog(T0 + 2001, T0 + 2000, T0 + 3000).broken(skew_ms=0) == {}  # it came after the takeover
    assert backlog(T0, T0 + 2 * MINUTE, T0 + 3 * MINUTE + 1).broken() == {"opt_out": 1}
    assert backlog(T0, T0 + MINUTE, T0 + 90_000).broken() == {}  # clocks differ


def test_a_push_of_a_partition_that_lags_is_found() -> None:
    """Half a minute by default, and what it takes to notice."""
    assert backlog(T0, None, T0 + 40_001).broken(skew_ms=0) == {"opt_out": 1}
    assert backlog(T0, None, T0 + 40_000).broken(skew_ms=0) == {}
    assert backlog(T0, None, T0 + 40_001).broken(SETTINGS.changed(max_push_lag_s=60.0), skew_ms=0) == {}


def strayed(made_ms: int, sent_on_ms: int = T0 - HOUR, begun_ms: int | None = None) -> Cluster:
    """An opt-out in a partition that stood still for an hour, after a click there that was sent on; and a push."""
    cluster, made = Cluster(), push(at_ms=made_ms)
    cluster.event("ann", "click", "a9", T0 - 2 * HOUR, partition=ELSEWHERE)
    if sent_on_ms < T0 + HOUR:
        cluster.applied(sent_on_ms)
    if begun_ms is not None:
        cluster.append("changelog", HOME, OWNER_KEY, b"{}", begun_ms)
    cluster.event("ann", "unsubscribe", "", T0, partition=ELSEWHERE)
    cluster.applied(T0 + HOUR)
    cluster.row("ann", row(made, consent=CONSENT_OUT))
    cluster.pushes(made)
    return cluster


def test_a_push_against_an_opt_out_that_strayed_is_found() -> None:
    """Its partition is further behind than one may be while another pushes."""
    assert strayed(T0 + 40_001).broken(skew_ms=0) == {"opt_out": 1}
    assert strayed(T0 + 40_000).broken(skew_ms=0) == {}
    assert strayed(T0 + 100_001).broken() == {"opt_out": 1}
    assert strayed(T0 + 100_000).broken() == {}
    assert strayed(T0 + 40_001).broken(SETTINGS.changed(max_push_lag_s=60.0), skew_ms=0) == {}


def test_a_push_after_a_takeover_against_an_opt_out_that_strayed_is_found() -> None:
    """Who takes a partition over waits until all that strayed is sent on."""
    assert strayed(T0 + 3000, begun_ms=T0 + 2000).broken(skew_ms=0) == {"opt_out": 1}
    assert strayed(T0 + 1500, begun_ms=T0 + 2000).broken(skew_ms=0) == {}


def test_nobody_waits_for_the_first_that_ever_strays() -> None:
    """What is sent on for the first time is waited for from then on."""
    assert strayed(T0 + 5 * MINUTE, sent_on_ms=T0 + HOUR).broken(skew_ms=0) == {}
    assert strayed(T0 + 5 * MINUTE, sent_on_ms=T0 + 5 * MINUTE - 10_000).broken(skew_ms=0) == {}
    assert strayed(T0 + 5 * MINUTE, sent_on_ms=T0 + 5 * MINUTE - 10_001).broken(skew_ms=0) == {"opt_out": 1}


def test_an_opt_out_that_was_set_aside_where_its_reader_lives_forbids_nothing() -> None:
    """The letter in `rerouted.dlq` says where it came from; a header of that name the record brought says nothing."""
    cluster = strayed(T0 + 5 * MINUTE)
    origin = (("streamrec-partition", str(HOME).encode()), ("streamrec-offset", b"1"))
    for forged in (b"events/0", b"events/x/1", cast(bytes, None), f"events/{ELSEWHERE}/0".encode()):
        cluster.append("dlq", HOME, b"ann", b"{}", T0, (*origin, ("streamrec-rerouted-from", forged)))
    assert cluster.broken(skew_ms=0) == {"opt_out": 1}
    ours = (("streamrec-rerouted-from", b"events/9/9"), ("streamrec-rerouted-from", f"events/{ELSEWHERE}/1".encode()))
    cluster.append("dlq", HOME, b"ann", b"{}", T0, (*origin, *ours))
    assert cluster.broken(skew_ms=0) == {}


def test_an_opt_out_at_home_is_not_hidden_by_one_that_strayed() -> None:
    """Whichever had to be known first counts."""
    cluster = left()
    cluster.event("ann", "unsubscribe", "", LATER - 1, partition=ELSEWHERE)
    assert cluster.broken() == {"opt_out": 1}


def test_a_push_of_what_was_read_in_the_backlog_is_found() -> None:
    """The same of articles."""
    cluster, made = Cluster(), push(at_ms=T0 + 3000)
    cluster.event("ann", "click", "a1", T0)
    cluster.append("changelog", HOME, OWNER_KEY, b"{}", T0 + 2000)
    cluster.applied(T0 + HOUR)
    cluster.row("ann", row(made, **reads("a1")))
    cluster.pushes(made)
    assert cluster.broken(skew_ms=0) == {"already_read": 1}


def test_an_opt_out_that_was_out_of_date_when_it_came_forbids_nothing() -> None:
    """The reader had subscribed since, by the events' own times; a no after the push is another matter."""
    cluster, made = Cluster(), push(at_ms=LATER)
    cluster.event("ann", "subscribe", "", T0 + 10)
    cluster.event("ann", "unsubscribe", "", T0)
    cluster.applied(T0 + 1000)
    cluster.event("ann", "unsubscribe", "", LATER + 1)
    cluster.row("ann", row(made, consent=CONSENT_OUT))
    cluster.pushes(made)
    assert cluster.broken() == {}


def test_a_subscribe_that_was_out_of_date_when_it_came_ends_no_opt_out() -> None:
    """Whatever the order in which they arrived."""
    cluster = left()
    cluster.event("ann", "subscribe", "", T0 - 1)
    assert cluster.broken() == {"opt_out": 1}


def test_an_opt_out_that_was_set_aside_forbids_nothing() -> None:
    """It lies in the dead letters: it was never applied."""
    origin = (("streamrec-partition", str(HOME).encode()), ("streamrec-offset", b"0"))
    for own in ((), (("streamrec-offset", cast(bytes, None)),), (("streamrec-partition", b"7"),)):
        cluster = left()
        value = cluster.logs["events"][HOME][0].value
        cluster.append("dlq", HOME, b"ann", value, T0, origin + own)  # a record may bring headers of these names
        assert cluster.broken() == {}


def test_a_letter_of_an_earlier_topic_says_nothing() -> None:
    """`events` was made anew, and the opt-out has the offset of what was set aside before."""
    cluster = left()
    origin = (("streamrec-partition", str(HOME).encode()), ("streamrec-offset", b"0"))
    cluster.append("dlq", HOME, b"bob", b"{}", T0, origin)
    assert cluster.broken() == {"opt_out": 1}


def test_a_record_cannot_say_that_another_was_set_aside() -> None:
    """The first headers of a dead letter are the worker's; those behind them the record brought."""
    cluster = left()
    ours = (("streamrec-partition", str(HOME).encode()), ("streamrec-offset", b"7"))
    value = cluster.logs["events"][HOME][0].value
    cluster.append("dlq", HOME, b"ann", value, T0, (*ours, ("streamrec-offset", b"0")))
    assert cluster.broken() == {"opt_out": 1}


@pytest.mark.parametrize("offset", [b"9" * 5000, b"-1", "²".encode(), b"", cast(bytes, None)])
def test_a_dead_letter_from_nowhere_says_nothing(offset: bytes) -> None:
    """Anybody may write one; int() refuses some of these."""
    cluster = left()
    cluster.append("dlq", HOME, b"ann", b"", T0, (("streamrec-partition", b"0"), ("streamrec-offset", offset)))
    assert cluster.broken() == {"opt_out": 1}


def test_a_second_opt_out_does_not_hide_the_first() -> None:
    """Somebody who got a push and left once more: the push came after the first time."""
    cluster = left()
    cluster.event("ann", "unsubscribe", "", LATER + 1)
    assert cluster.broken() == {"opt_out": 1}


def reader(*events: tuple[str, int], floor_s: int = 0, at_ms: int = LATER) -> Cluster:
    """Somebody with these reads (article, time), all applied by T0 + 1 s or after the push."""
    cluster, made = Cluster(), push(at_ms=at_ms)
    for article, read_ms in events:
        cluster.event("ann", "click", article, read_ms)
        cluster.applied(read_ms + 1000)
    cluster.row("ann", row(made, **reads(*(article for article, _ in events)), floor_s=floor_s))
    cluster.pushes(made)
    return cluster


def test_a_push_of_a_read_article_is_found() -> None:
    """The read was applied before, and the ring still holds it; opening the push later hides nothing."""
    assert reader(("a1", T0)).broken() == {"already_read": 1}
    assert reader(("a1", T0), ("a1", LATER + HOUR)).broken() == {"already_read": 1}


def test_reading_what_was_pushed_is_no_alarm() -> None:
    """Read after the push, or another article."""
    assert reader(("a1", LATER + 1)).broken() == {}
    assert reader(("a2", T0)).broken() == {}


def test_a_read_that_may_have_left_the_row_is_not_judged() -> None:
    """Once something had to leave, an article read before it was known may have; and may have been read again."""
    assert reader(("a1", T0), ("a1", LATER + HOUR), floor_s=1).broken() == {}


MIDNIGHT = T0 + 12 * HOUR  # UTC; noon of T0


def sleeper(at_ms: int, zone: str = "", events: tuple[tuple[str, int], ...] = (), **more: int) -> Cluster:
    """Somebody pushed at `at_ms`; the row's zone; events (zone, time)."""
    cluster, made = Cluster(), push(at_ms=at_ms)
    for tz, event_ms in events:
        cluster.event("ann", "click", "a9", event_ms, tz=tz)
        cluster.applied(event_ms + 1000)
    cluster.applied(T0 + 24 * HOUR)
    cluster.row("ann", row(made, zone=key_of(zone) if zone else 0, **more))
    cluster.pushes(made)
    return cluster


def test_a_push_at_night_is_found_where_no_zone_was_ever_told() -> None:
    """Settings' zone and window: quiet from 22:00 to 07:00 UTC."""
    assert sleeper(MIDNIGHT).broken() == {"quiet_hours": 1}
    assert sleeper(T0).broken() == {}


def test_a_push_at_night_is_found_where_one_zone_is_certain() -> None:
    """All events name Tokyo: midnight there is 15:00 UTC."""
    events = (("Asia/Tokyo", T0), ("Asia/Tokyo", T0 + HOUR))
    assert sleeper(T0 + 3 * HOUR, "Asia/Tokyo", events).broken() == {"quiet_hours": 1}
    assert sleeper(T0 + 14 * HOUR, "Asia/Tokyo", events).broken() == {}


def test_a_zone_that_may_have_been_another_is_not_judged() -> None:
    """Two zones seen, a zone told after the push, or no event left that tells it."""
    moved = (("Europe/Paris", T0), ("Asia/Tokyo", T0 + HOUR))
    told_later = (("Asia/Tokyo", T0 + 4 * HOUR),)
    for events in (moved, told_later, ()):
        assert sleeper(T0 + 3 * HOUR, "Asia/Tokyo", events).broken() == {}


def test_a_window_of_the_users_own_is_not_judged() -> None:
    """It may be newer than the push."""
    assert sleeper(MIDNIGHT, quiet_from_min=60, quiet_to_min=120).broken() == {}


def test_breaking_news_at_night_is_judged_unless_the_settings_let_it_pass() -> None:
    """quiet_hours is not among the bypassed rules unless named."""
    made = push(at_ms=MIDNIGHT, priority="breaking")
    cluster = Cluster()
    cluster.row("ann", row(made))
    cluster.applied(T0)
    cluster.pushes(made)
    assert cluster.broken() == {"quiet_hours": 1}
    assert cluster.broken(SETTINGS.changed(breaking_bypasses="quiet_hours")) == {}


def test_a_replay_tells_nothing_of_when_an_event_was_applied() -> None:
    """Its policy clock is not the one of the log."""
    assert left().broken(SETTINGS.changed(policy_time="event")) == {}
    assert reader(("a1", T0)).broken(SETTINGS.changed(policy_time="event")) == {}


@pytest.mark.parametrize(("hour", "quiet"), [(21, False), (22, True), (6, True), (8, False)])
def test_the_window_follows_summer_time(hour: int, quiet: bool) -> None:
    """In July Copenhagen is two hours ahead of UTC."""
    july_ms = round(datetime(2026, 7, 2, hour, tzinfo=UTC).timestamp() * 1000) - 2 * HOUR
    cluster, made = Cluster(), push(at_ms=july_ms)
    cluster.row("ann", row(made))
    cluster.applied(T0)
    cluster.pushes(made)
    settings = SETTINGS.changed(default_zone="Europe/Copenhagen")
    assert cluster.broken(settings, now_ms=july_ms) == ({"quiet_hours": 1} if quiet else {})
