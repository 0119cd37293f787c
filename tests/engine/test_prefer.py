"""What readers say they want: any order of arrival gives the same, and it survives in the log."""

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from making import DAY, T0, Feed, partition

from streamrec.contracts.event import UserEvent
from streamrec.contracts.ids import key_of
from streamrec.contracts.preferences import MOST_NAMES, Patch
from streamrec.engine.profiles.layout import CONSENT_OUT, NO_CAP, NO_OVERRIDE
from streamrec.engine.profiles.name_sets import NameSets
from streamrec.engine.profiles.statements import NOTHING, PREFIX, decoded, merged
from streamrec.engine.profiles.zones import zone_slots
from streamrec.partition.partition import Partition

USERS = ("ann", "bob")
ZONES = ("Asia/Shanghai", "Europe/Copenhagen")
times = st.integers(0, 5).map(lambda second: T0 + second * 1000)
values: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        "consent": st.sampled_from([True, False, None]),
        "level": st.sampled_from(["all", "breaking", "none", None]),
        "daily_cap": st.sampled_from([0, 3, 8, None]),
        "quiet_hours": st.sampled_from(["22:00-07:00", "00:00-00:00", None]),
        "zone": st.sampled_from([*ZONES, None]),
        "languages": st.sampled_from([["da"], ["da", "en"], None]),
        "profiling": st.sampled_from([True, False, None]),
        "stories/s1": st.sampled_from(["mute", "follow", None]),
        "sources/desk": st.sampled_from(["mute", "follow", None]),
    },
)
patches = st.builds(Patch, st.sampled_from(USERS), times, values, st.booleans())
events = st.builds(
    lambda user, action, at_ms, tz: UserEvent(user, action, at_ms, tz=tz),
    st.sampled_from(USERS), st.sampled_from(["subscribe", "unsubscribe"]), times, st.sampled_from(["", *ZONES]),
)  # fmt: skip
statements = st.lists(patches | events, max_size=8)


def state_after(said: list[Patch | UserEvent], together: bool) -> dict[str, Any]:
    """What a partition holds of consent and preferences, and what it logs, after these in this order."""
    feed = Feed(partition())
    batches = [said] if together else [[each] for each in said]
    for batch in batches:
        for kind in (Patch, UserEvent):
            if some := [each for each in batch if isinstance(each, kind)]:
                feed.of(some)
    return columns_of(feed.to)


def columns_of(state: Partition) -> dict[str, Any]:
    """By user: the columns that preferences change, and what was said."""
    fields = ("consent", "consent_at_ms", "daily_cap", "quiet_from_min", "quiet_to_min", "zone", "zone_slot")
    return {
        user: ([int(state.profiles[name][row]) for name in fields], state.profiles.said(row))
        for user in sorted(state.profiles)
        if (row := state.profiles.row(user)) is not None
    }


@given(statements, st.randoms())
def test_any_order_of_patches_and_events_gives_the_same(said: list[Any], order: Any) -> None:
    """Time decides, and at one time what asks for less; zones of devices at one second are the one exception."""
    zoned: dict[tuple[str, int], str] = {}
    said = [
        each
        for each in said
        if not (isinstance(each, UserEvent) and each.tz)
        or zoned.setdefault((each.user_id, each.at_ms), each.tz) == each.tz
    ]
    shuffled = order.sample(said, len(said))
    assert state_after(said, together=False) == state_after(shuffled, together=False)
    assert state_after(said, together=True) == state_after(shuffled, together=False)


@given(statements)
def test_what_was_said_survives_in_the_log(said: list[Any]) -> None:
    """A next owner has the same columns, from rows and the records beside them."""
    feed = Feed(partition())
    log: dict[bytes, bytes | None] = {}
    for each in said:
        changes = feed.of([each])
        log |= dict(feed.to.encode(changes.unique_rows())[:-1])
    restored = partition()
    restored.profiles.restore(log.items())
    assert columns_of(restored) == columns_of(feed.to)
    assert {key for key in log if key.startswith(PREFIX)} <= {PREFIX + user.encode() for user in USERS}


@given(st.lists(st.tuples(st.integers(0, 200), times, st.sampled_from(["mute", "follow", None])), max_size=200))
def test_the_newest_names_are_kept_in_any_order(named: list[tuple[int, int, Any]]) -> None:
    """The bound of a kind must not make the order of arrival matter."""
    one_by_one = [Patch("u", at_ms, {f"tags/t{number}": stance}) for number, at_ms, stance in named]
    there = back = NOTHING
    for patch in one_by_one:
        there = merged(there, patch)
    for patch in reversed(one_by_one):
        back = merged(back, patch)
    assert there == back
    assert len(there.statements) <= MOST_NAMES
    assert decoded(there.encoded()) == there


def test_a_tombstone_takes_all_back_but_consent() -> None:
    """Who opted out stays out until they say yes, and what is said later than the tombstone counts."""
    feed = Feed(partition())
    feed.of([Patch("ann", T0, {"consent": False, "daily_cap": 0, "quiet_hours": "01:00-02:00", "zone": ZONES[0]})])
    feed.of(
        [
            Patch("ann", T0 + 1, {}, resets=True),
            Patch("ann", T0 + 2, {"daily_cap": 4}),
            Patch("ann", T0, {"level": "none"}),
        ]
    )
    profiles = feed.to.profiles
    assert (profiles["daily_cap"][0], profiles["quiet_from_min"][0], profiles["zone_slot"][0]) == (4, NO_OVERRIDE, 0)
    assert profiles["consent"][0] == CONSENT_OUT
    assert not profiles.preferences.columns["level"].any()


def test_a_stated_zone_holds_over_that_of_the_device_until_it_is_taken_back() -> None:
    """The device's is remembered meanwhile."""
    feed = Feed(partition())
    feed.of([Patch("ann", T0, {"zone": ZONES[0]})])
    feed.events(UserEvent("ann", "subscribe", T0, tz=ZONES[1]))
    slots = zone_slots(np.array([key_of(zone) for zone in ZONES], np.uint32)).tolist()
    assert feed.to.profiles["zone_slot"][0] == slots[0]
    feed.of([Patch("ann", T0 + 1, {"zone": None})])
    assert feed.to.profiles["zone_slot"][0] == slots[1]


def test_who_stated_anything_is_remembered_in_silence_and_who_took_it_back_is_forgotten() -> None:
    """A row for what was said, a tombstone for both records of who says nothing any more."""
    feed = Feed(partition())
    feed.of([Patch("ann", T0, {"daily_cap": 1}), Patch("bob", T0, {"daily_cap": 1})])
    feed.of([Patch("bob", T0 + 1, {"daily_cap": None})])
    feed.to.encode(np.arange(2))
    rows = feed.to.forget_silent(T0 + 4000 * DAY).unique_rows()
    log = dict(feed.to.encode(rows)[:-1])
    assert feed.to.profiles["daily_cap"].tolist() in ([1, 0], [1, NO_CAP])
    assert (log[b"bob"], log[PREFIX + b"bob"]) == (None, None)
    assert len(feed.to.profiles.preferences) == 1


@given(
    st.lists(st.tuples(st.integers(0, 9), st.lists(st.integers(1, 30), max_size=300)), max_size=30),
    st.lists(st.integers(0, 40)),
)
def test_name_sets_say_what_sets_say(puts: list[tuple[int, list[int]]], asked: list[int]) -> None:
    """However often they change, and however much is moved together."""
    sets, plain = NameSets(), dict[int, set[int]]()
    for owner, keys in puts:
        sets.put(owner, keys)
        plain[owner] = set(keys)
    found = sets.have_any(np.arange(12), np.array(asked, np.uint32))
    assert found.tolist() == [bool(plain.get(owner, set()) & set(asked)) for owner in range(12)]
