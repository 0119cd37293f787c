"""The state machine: same input, same state, same pushes; however it is split, interleaved or restored."""

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import DAY, HOUR, T0, Feed, applied, article, click, columns, partition, pushes

from streamrec.contracts.decode import Origin, decode_catalog
from streamrec.contracts.event import UserEvent
from streamrec.contracts.partitioner import partition_of
from streamrec.contracts.records import RawRecord
from streamrec.engine.profiles.layout import CONSENT_OUT
from streamrec.partition.changelog_meta import rows_and_meta
from streamrec.partition.intake import Batch
from streamrec.partition.partition import Partition

ARTICLES = [article(f"a{i}", topic=f"topic{i % 3}", story_id=f"s{i // 2}") for i in range(8)]

EVENTS = st.lists(
    st.builds(
        UserEvent,
        user_id=st.sampled_from(["ann", "bo", "杨", "d"]),
        action=st.sampled_from(["click", "share", "dislike", "unsubscribe", "subscribe", "impression"]),
        at_ms=st.integers(T0 - DAY, T0),
        article_id=st.sampled_from([f"a{i}" for i in range(10)]),
    ),
    max_size=40,
)


@given(EVENTS, st.integers(1, 9))
def test_splitting_a_batch_changes_nothing(events: list[UserEvent], size: int) -> None:
    """The same events in batches of any size give the same columns, to the bit."""
    whole, parts = partition(), partition()
    one, many = Feed(whole), Feed(parts)
    one.articles(*ARTICLES)
    many.articles(*ARTICLES)
    one.events(*events)
    for start in range(0, len(events), size):
        many.events(*events[start : start + size])
    assert columns(whole) == columns(parts)
    assert (whole.catalog["readers"] == parts.catalog["readers"]).all()


@given(EVENTS, st.integers(0, 8))
def test_restored_equals_what_was_lost(events: list[UserEvent], known: int) -> None:
    """Rows, cursor and catalog from the log give the state that was there, derived columns included."""
    state = partition()
    feed = Feed(state)
    feed.articles(*ARTICLES[:known])
    feed.events(*events)
    feed.articles(*ARTICLES[known:])
    rows, meta = rows_and_meta(state.encode(np.arange(len(state.profiles))), partitions=24)
    successor = partition()
    records = [RawRecord(i, T0, None, msgspec.json.encode(value)) for i, value in enumerate(ARTICLES)]
    successor.restore(rows.items(), meta, decode_catalog(records, Origin("catalog", 0)))
    assert successor.cursor == state.cursor
    ours, theirs = columns(state), columns(successor)
    for name in ours.keys() - {"active_ms"}:  # kept to the second in the row
        assert ours[name] == theirs[name], name
    assert (successor.profiles["active_ms"] == successor.profiles["last_active_s"].astype(np.int64) * 1000).all()
    assert (state.catalog["readers"] == successor.catalog["readers"]).all()


@given(EVENTS)
def test_nobody_gets_the_same_twice(events: list[UserEvent]) -> None:
    """However often articles come and users are due: one push per user and article, one per story, none opted out."""
    state = partition(daily_cap=8)
    feed, sent = Feed(state), []
    for round_ in range(3):
        sent += pushes(feed.articles(*ARTICLES, now_ms=T0 + round_))
        sent += pushes(feed.events(*events, now_ms=T0 + round_))
        sent += pushes(state.look(T0 + 1000 + round_))
    assert len({push.push_id for push in sent}) == len(sent)
    assert len({(push.user_id, push.story_id) for push in sent}) == len(sent)
    out = {state.profiles.users[row] for row in np.flatnonzero(state.profiles["consent"] == CONSENT_OUT)}
    assert out.isdisjoint({push.user_id for push in pushes(state.look(T0 + HOUR))})


def reader_of_a_topic(**changed: object) -> tuple[Partition, Feed]:
    """A partition whose user `u1` has read about quantum."""
    state = partition(**changed)  # type: ignore[arg-type]
    feed = Feed(state)
    feed.articles(article("old", topic="quantum"))
    feed.events(click("u1", "old"))
    return state, feed


def test_an_article_meets_its_readers() -> None:
    """A new article on a topic is pushed at once to who reads about it, with the reason."""
    state, feed = reader_of_a_topic()
    feed.events(click("u2", "nothing known"))
    (push,) = pushes(feed.articles(article("new", topic="quantum"), now_ms=T0 + 5))
    assert (push.user_id, push.article_id, push.trigger) == ("u1", "new", "article")
    assert (push.reason.code, push.reason.args) == ("recent_reads", {"category": "science", "count": 1})
    assert push.created_at_ms == T0 + 5
    assert push.expires_at_ms <= T0 + DAY
    assert len(state.profiles) == 2


def test_chunks_are_the_same_as_one() -> None:
    """An article that meets users in several steps reaches the same ones; the cursor moves with the last step."""
    state, feed = reader_of_a_topic(chunk_users=64)
    crowd = [click(f"u{i}", "old") for i in range(2, 300)]
    feed.events(*crowd)
    record = RawRecord(1, T0, None, msgspec.json.encode(article("new", topic="quantum")))
    steps = list(state.apply(Batch("catalog", [record], 2), T0))
    assert len(steps) == 6
    assert [bool(step.cursor) for step in steps] == [False] * 5 + [True]
    assert {push.user_id for step in steps for push in pushes(step)} == {f"u{i}" for i in range(1, 300)}


def test_a_user_is_due_after_the_session() -> None:
    """Nobody is interrupted; when the session gap is over the fresh articles are looked at, once."""
    state, feed = reader_of_a_topic(session_gap_s=900)
    assert not pushes(feed.articles(article("new", topic="quantum"), now_ms=T0 + 60_000))
    assert not pushes(state.look(T0 + 899_000))
    (push,) = pushes(state.look(T0 + 900_000))
    assert (push.article_id, push.trigger, push.event_at_ms) == ("new", "due", T0 + 900_000)
    assert not pushes(state.look(T0 + 901_000))


def test_a_late_event_teaches_and_triggers_nothing() -> None:
    """A click that arrives hours later moves the profile, not the waiting."""
    state, feed = reader_of_a_topic()
    before = int(state.profiles["due_at_s"][0])
    changes = feed.events(click("u1", "other", at_ms=T0), now_ms=T0 + 5 * HOUR)
    assert changes.late == 1
    assert int(state.profiles["due_at_s"][0]) == before
    assert int(state.profiles["n_reads"][0]) == 2


def test_a_click_before_its_article_counts_when_it_comes() -> None:
    """An event on an unknown article waits in the row."""
    early, usual = partition(), partition()
    feed = Feed(early)
    changes = feed.events(click("u1", "a0"))
    assert changes.unknown == 1
    feed.articles(ARTICLES[0])
    feed = Feed(usual)
    feed.articles(ARTICLES[0])
    feed.events(click("u1", "a0"))
    for field in ("interest", "category_affinity", "seen", "seen_acts", "mirror", "waiting"):
        assert (early.profiles[field] == usual.profiles[field]).all(), field
    assert early.catalog["readers"][0] == usual.catalog["readers"][0] == 1


def test_a_duplicate_event_counts_once() -> None:
    """The same click delivered twice is one read."""
    once, twice = partition(), partition()
    for state, times in ((once, 1), (twice, 2)):
        feed = Feed(state)
        feed.articles(ARTICLES[0])
        feed.events(*[click("u1", "a0")] * times)
    assert columns(once) == columns(twice)


def test_update_withdraw_publish_again() -> None:
    """Withdrawn is not pushed; published again it is; a lower version changes nothing; the same twice neither."""
    state, feed = reader_of_a_topic(min_score=0.999)
    versions = {
        "withdrawn": article("new", topic="quantum", version=2, status="withdrawn"),
        "again": article("new", topic="quantum", version=3, status="updated", title="Once more"),
        "stale": article("new", topic="quantum", version=1),
    }
    assert [state.catalog.apply(v, T0) for v in (versions["stale"], versions["withdrawn"])] == ["new", "withdrawn"]
    assert state.catalog.slot("new") not in state.catalog.fresh(T0)
    assert [state.catalog.apply(versions[v], T0) for v in ("stale", "again", "again")] == [
        "stale",
        "updated",
        "unchanged",
    ]
    assert state.catalog.slot("new") in state.catalog.fresh(T0)
    assert feed.offsets["catalog"] == 1


def test_an_embargo_ends_by_itself() -> None:
    """Nobody hears of it before; everybody concerned does when it is over."""
    state, feed = reader_of_a_topic()
    assert not pushes(feed.articles(article("new", topic="quantum", embargo_until_ms=T0 + HOUR)))
    state.look(T0 + 10_000)
    assert not pushes(state.look(T0 + HOUR - 1000))
    (push,) = pushes(state.look(T0 + HOUR + 500))
    assert push.event_at_ms == T0 + HOUR


def ahead_by_an_hour(state: Partition, restored: bool) -> Partition:
    """Its clock was, for a moment; perhaps it died of that."""
    state.look(T0 + 1000)
    state.look(T0 + HOUR)
    if not restored:
        return state
    rows, meta = rows_and_meta(state.encode(np.arange(len(state.profiles))), partitions=24)
    successor = Partition(state.context)
    catalog = [msgspec.json.encode(value) for value in state.catalog.articles if value]
    records = [RawRecord(i, T0, None, value) for i, value in enumerate(catalog)]
    successor.restore(rows.items(), meta, decode_catalog(records, Origin("catalog", 0)))
    return successor


@pytest.mark.parametrize("restored", [False, True])
def test_an_embargo_ends_though_the_clock_was_ahead(restored: bool) -> None:
    """What ends between the two times is noticed when it does, and only once."""
    state, _ = reader_of_a_topic()
    state = ahead_by_an_hour(state, restored)
    feed = Feed(state)
    feed.offsets |= {name: state.cursor.get(name, 0) for name in feed.offsets}
    feed.articles(article("new", topic="quantum", embargo_until_ms=T0 + HOUR // 2), now_ms=T0 + 2000)
    assert not pushes(state.look(T0 + 3000))
    (push,) = pushes(state.look(T0 + HOUR // 2))
    assert push.article_id == "new"
    assert not pushes(state.look(T0 + HOUR // 2 + 1000))


def test_quiet_hours_end_though_the_clock_was_ahead() -> None:
    """Users who wake up between the two times hear of the night."""
    state, _ = reader_of_a_topic(quiet_from="11:00", quiet_to="12:30", quiet_jitter_s=0)
    state = ahead_by_an_hour(state, restored=False)
    feed = Feed(state)
    feed.offsets |= {name: state.cursor.get(name, 0) for name in feed.offsets}
    state.look(T0 + 2000)
    assert not pushes(feed.articles(article("new", topic="quantum"), now_ms=T0 + 3000))
    sent = [push for minute in range(1, 70) for push in pushes(state.look(T0 + minute * 60_000))]
    assert [(push.article_id, push.created_at_ms) for push in sent] == [("new", T0 + HOUR // 2)]


def test_waking_users_hear_of_the_night() -> None:
    """An article of the night is pushed when quiet hours end."""
    state, feed = reader_of_a_topic(quiet_from="11:00", quiet_to="13:00", quiet_jitter_s=0)
    assert not pushes(feed.articles(article("new", topic="quantum")))
    assert not pushes(state.look(T0 + 1000))
    sent = [push for minute in range(1, 70) for push in pushes(state.look(T0 + minute * 60_000))]
    assert [(push.article_id, push.created_at_ms) for push in sent] == [("new", T0 + HOUR)]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"\xff\xfe", "undecodable"),
        (b"{", "undecodable"),
        (b"", "empty_value"),
        (b"[]", "invalid"),
        (b'{"user_id":"u","action":"click","at_ms":"now","article_id":"a"}', "invalid"),
        (b'{"user_id":"u","action":"click","article_id":"a"}', "invalid"),
        (b'{"user_id":"u","action":"teleport","at_ms":1764072000000,"article_id":"a"}', "invalid"),
        (b'{"user_id":"","action":"click","at_ms":1764072000000,"article_id":"a"}', "invalid"),
        (b'{"user_id":"%s","action":"click","at_ms":1764072000000,"article_id":"a"}' % (b"u" * 10_000), "invalid"),
        (b'{"user_id":"u","action":"click","at_ms":0,"article_id":"a"}', "invalid"),
        (b'{"user_id":"u","action":"click","at_ms":2082758400000,"article_id":"a"}', "in_future"),
        (b'{"user_id":"u","action":"click","at_ms":1764072000000}', "invalid"),
        (b'{"user_id":"u","x":"%s"}' % (b"x" * 2_000_000), "too_large"),
    ],
)
def test_bad_records_become_dead_letters(value: bytes, reason: str) -> None:
    """Set aside with reason and origin, the content not repeated in the detail; the good ones beside it count."""
    state = partition()
    changes = Feed(state).events(click("ann"), value, click("bo"))
    (letter,) = changes.dead_letters
    assert (letter.reason, letter.topic, letter.partition, letter.offset) == (reason, "events", 0, 1)
    assert letter.value == value
    assert "uuuu" not in letter.detail
    assert "Mars" not in letter.detail
    assert sorted(state.profiles.users) == ["ann", "bo"]
    assert changes.cursor == {"events": 3}
    assert changes.events == {"click": 2}
    assert changes.appended_ms == [T0, T0]


def test_tombstones_among_events_are_set_aside() -> None:
    """A null value means nothing in `events`."""
    changes = applied(partition(), Batch("events", [RawRecord(0, T0, b"u", None)], 1))
    assert [letter.reason for letter in changes.dead_letters] == ["empty_value"]


def test_an_event_of_somebody_elses_user_goes_where_the_user_lives() -> None:
    """A user is never split over two partitions; an event that strays a second time is set aside."""
    state = partition()
    state.context = state.context._replace(partitions=4)
    mine, other = ([f"u{i}" for i in range(50) if (partition_of(f"u{i}", 4) == 0) is here] for here in (True, False))
    changes = Feed(state).events(click(mine[0]), click(other[0]))
    assert [(stray.user_id, stray.partition) for stray in changes.strays] == [(other[0], partition_of(other[0], 4))]
    assert state.profiles.users == [mine[0]]
    again = [RawRecord(0, T0, b"", changes.strays[0].value, changes.strays[0].headers)]
    changes = applied(state, Batch("rerouted", again, 1))
    assert [letter.reason for letter in changes.dead_letters] == ["misrouted"]
    assert state.profiles.users == [mine[0]]
