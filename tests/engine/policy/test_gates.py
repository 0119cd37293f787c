"""Each gate: closed when it should be, and it says when it opens."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from making import T0, policy

from streamrec.contracts.ids import key_of
from streamrec.engine.policy.config import NEVER
from streamrec.engine.policy.gates.daily_cap import daily_cap
from streamrec.engine.policy.gates.in_session import in_session
from streamrec.engine.policy.gates.min_interval import min_interval
from streamrec.engine.policy.gates.opt_out import opt_out
from streamrec.engine.policy.gates.quiet_hours import quiet_hours
from streamrec.engine.policy.gates.stopped import stopped
from streamrec.engine.profiles.layout import CONSENT_OUT
from streamrec.engine.profiles.store import ProfileStore, Users
from streamrec.engine.profiles.zones import zone_slots

NOW_S = T0 // 1000
DAY_S = 86_400


def one_user(zone: str = "", **fields: object) -> Users:
    """A store with one user."""
    store = ProfileStore(1)
    store.rows_of(["u"], [NOW_S])
    for name, value in fields.items():
        store.columns[name][0] = value
    if zone:
        store.columns["zone_slot"][0] = zone_slots(np.array([key_of(zone)], np.uint32))[0]
    return Users(store, slice(None))


def pushed(*at_s: int) -> Users:
    """A user pushed at these times."""
    users = one_user()
    for place, moment in enumerate(at_s):
        users.store.columns["pushed_at_s"][0, place % 8] = moment
    return users


def at(local: str, zone: str = "UTC") -> int:
    """Seconds since 1970 of a local time."""
    return int(datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone)).timestamp())


def test_a_stop_is_for_everybody() -> None:
    """Until it ends, or without end."""
    assert stopped(one_user(), NOW_S, policy()).tolist() == [0]
    assert stopped(one_user(), NOW_S, policy()._replace(stopped_until_s=NOW_S + 60)).tolist() == [NOW_S + 60]
    assert stopped(one_user(), NOW_S, policy()._replace(stopped_until_s=NOW_S)).tolist() == [0]
    assert stopped(one_user(), NOW_S, policy()._replace(stopped_until_s=NEVER)).tolist() == [NEVER]


def test_opt_out_is_for_good() -> None:
    """No waiting opens the gate of somebody who unsubscribed."""
    assert opt_out(one_user(consent=CONSENT_OUT), NOW_S, policy()).tolist() == [NEVER]
    assert opt_out(one_user(), NOW_S, policy()).tolist() == [0]


@given(st.lists(st.integers(1, 3 * DAY_S), max_size=8, unique=True), st.integers(0, 8))
def test_daily_cap_counts_any_24_hours(ages_s: list[int], cap: int) -> None:
    """Closed exactly when `cap` pushes lie within 24 hours; it opens when that is over, not earlier."""
    users = pushed(*(NOW_S - age for age in ages_s))
    until = int(daily_cap(users, NOW_S, policy(daily_cap=cap))[0])
    recent = [age for age in ages_s if age < DAY_S]
    assert (until > 0) == (len(recent) >= cap)
    if cap and until:
        assert until > NOW_S
        assert daily_cap(users, until, policy(daily_cap=cap)).tolist() == [0]
        assert daily_cap(users, until - 1, policy(daily_cap=cap))[0] > 0


def test_empty_places_of_the_ring_are_no_pushes() -> None:
    """Whenever that is asked: a clock that has not started yet closes no gate."""
    for now_s in (0, 1, DAY_S, DAY_S + 1, NOW_S):
        assert daily_cap(one_user(), now_s, policy(daily_cap=1)).tolist() == [0]


def test_own_cap_wins() -> None:
    """A user's own cap replaces the setting."""
    users = pushed(NOW_S - 10)
    users.store.columns["daily_cap"][0] = 1
    assert daily_cap(users, NOW_S, policy(daily_cap=8))[0] > 0


def test_min_interval_opens_when_it_is_over() -> None:
    """Four hours are four hours, from the latest push."""
    users = pushed(NOW_S - 9000, NOW_S - 3600)
    assert min_interval(users, NOW_S, policy(min_interval_s=4 * 3600)).tolist() == [NOW_S + 3 * 3600]
    assert min_interval(users, NOW_S + 3 * 3600, policy(min_interval_s=4 * 3600)).tolist() == [0]
    assert min_interval(one_user(), NOW_S, policy(min_interval_s=4 * 3600)).tolist() == [0]


def test_session_ends_after_the_gap() -> None:
    """Nobody active within the gap is interrupted."""
    users = one_user(last_active_s=NOW_S - 60)
    assert in_session(users, NOW_S, policy(session_gap_s=900)).tolist() == [NOW_S + 840]
    assert in_session(users, NOW_S + 840, policy(session_gap_s=900)).tolist() == [0]


@pytest.mark.parametrize(
    ("local", "zone", "until"),
    [
        ("2026-01-10T23:30", "Europe/Copenhagen", "2026-01-11T07:00"),
        ("2026-01-10T06:59", "Asia/Shanghai", "2026-01-10T07:00"),
        ("2026-03-28T23:00", "Europe/Copenhagen", "2026-03-29T07:00"),  # the night summer time begins
        ("2026-10-24T23:00", "Europe/Copenhagen", "2026-10-25T07:00"),  # the night it ends
        ("2026-01-10T07:00", "America/New_York", None),
        ("2026-01-10T21:59", "America/New_York", None),
    ],
)
def test_quiet_hours_follow_the_users_zone(local: str, zone: str, until: str | None) -> None:
    """22:00-07:00 local, over midnight and through changes of summer time."""
    config = policy(quiet_from="22:00", quiet_to="07:00", quiet_jitter_s=0)
    opens = int(quiet_hours(one_user(zone), at(local, zone), config)[0])
    assert opens == (at(until, zone) if until else 0)


ZONES = "Europe/Copenhagen", "America/New_York", "Australia/Lord_Howe", "Asia/Shanghai"
NIGHTS = "2026-03-28", "2026-10-24", "2026-03-07", "2026-04-04"  # in which clocks of one of them change
MINUTES = st.integers(0, 1439)


@pytest.mark.parametrize("night", NIGHTS)
@given(st.lists(st.tuples(st.sampled_from(ZONES), MINUTES, MINUTES), min_size=2, max_size=5), st.integers(0, 36 * 4))
def test_quiet_hours_do_not_depend_on_the_others(night: str, readers: list[tuple[str, int, int]], quarter: int) -> None:
    """Nights in which clocks change: whose window ends before that is not woken an hour off by whose ends after it."""
    now_s, config = (
        at(f"{night}T12:00") + quarter * 900,
        policy(quiet_from="22:00", quiet_to="07:00", quiet_jitter_s=1800),
    )
    store = ProfileStore(len(readers))
    store.rows_of([f"u{n}" for n in range(len(readers))], [NOW_S] * len(readers))
    zones, store.columns["quiet_from_min"][:], store.columns["quiet_to_min"][:] = zip(*readers, strict=True)
    store.columns["zone_slot"][:] = zone_slots(np.array([key_of(zone) for zone in zones], np.uint32))
    alone = [int(quiet_hours(Users(store, slice(n, n + 1)), now_s, config)[0]) for n in range(len(readers))]
    assert quiet_hours(Users(store, slice(None)), now_s, config).tolist() == alone


@pytest.mark.parametrize("night", NIGHTS)
@given(st.sampled_from(ZONES), st.integers(0, 95), st.integers(0, 95), st.integers(0, 36 * 4))
@example("America/New_York", 11, 10, 28)  # in the spring: all but 02:30 to 02:45, which no clock shows that night
@example("Europe/Copenhagen", 9, 0, 49)  # in the autumn: 02:15 to 00:00, and clocks put back to 02:00 at 03:00
def test_quiet_hours_end_when_a_clock_on_the_wall_says(
    night: str, zone: str, start: int, end: int, quarter: int
) -> None:
    """In windows of full quarters: the first quarter from now on at which it shows no time within the window.

    An hour that is about to be shown twice does not interrupt a window that began in it.
    """
    clock = [f"{quarters // 4:02}:{quarters % 4 * 15:02}" for quarters in (start, end)]
    now_s = at(f"{night}T12:00") + quarter * 900
    config = policy(quiet_from=clock[0], quiet_to=clock[1], quiet_jitter_s=0)

    def is_quiet(moment_s: int) -> bool:
        wall = datetime.fromtimestamp(moment_s, ZoneInfo(zone))
        shown = wall.hour * 4 + wall.minute // 15
        return start <= shown < end if start < end else (shown >= start or shown < end) and start != end

    def is_again(moment_s: int) -> bool:
        return (
            datetime.fromtimestamp(moment_s, ZoneInfo(zone)).fold > datetime.fromtimestamp(now_s, ZoneInfo(zone)).fold
        )

    ends = next(at_s for at_s in range(now_s, now_s + 2 * DAY_S, 900) if not is_quiet(at_s) and not is_again(at_s))
    opens = int(quiet_hours(one_user(zone), now_s, config)[0])
    if opens:  # a window that is open in the skipped hour alone is closed when it says, and then names the next day
        opens = int(quiet_hours(one_user(zone), opens, config)[0]) or opens
    assert opens == (ends if ends > now_s else 0)


def test_who_wakes_before_the_clocks_change_is_not_woken_an_hour_early() -> None:
    """Two of one zone in the night to summer time: 22:00 to 01:30, and to 07:00."""
    store = ProfileStore(2)
    store.rows_of(["early", "late"], [NOW_S] * 2)
    store.columns["quiet_from_min"][:], store.columns["quiet_to_min"][:] = 22 * 60, [90, 7 * 60]
    store.columns["zone_slot"][:] = zone_slots(np.array([key_of("Europe/Copenhagen")] * 2, np.uint32))
    config = policy(quiet_from="22:00", quiet_to="07:00", quiet_jitter_s=0)
    opens = quiet_hours(Users(store, slice(None)), at("2026-03-28T23:00", "Europe/Copenhagen"), config)
    assert opens.tolist() == [at(f"2026-03-29T{clock}", "Europe/Copenhagen") for clock in ("01:30", "07:00")]


def test_own_quiet_window_wins() -> None:
    """A user's own window replaces the setting; an empty one means none."""
    config = policy(quiet_from="22:00", quiet_to="07:00", quiet_jitter_s=0)
    users = one_user(quiet_from_min=13 * 60, quiet_to_min=14 * 60)
    assert quiet_hours(users, at("2026-01-10T13:10"), config).tolist() == [at("2026-01-10T14:00")]
    none = one_user(quiet_from_min=0, quiet_to_min=0)
    assert quiet_hours(none, at("2026-01-10T23:10"), config).tolist() == [0]


def test_own_quiet_windows_hold_where_the_setting_has_none() -> None:
    """Also beside users without one."""
    store = ProfileStore(3)
    store.rows_of(["as set", "own", "none"], [NOW_S] * 3)
    store.columns["quiet_from_min"][1:], store.columns["quiet_to_min"][1:] = [13 * 60, 0], [14 * 60, 0]
    config = policy(quiet_from="07:00", quiet_to="07:00", quiet_jitter_s=0)
    opens = quiet_hours(Users(store, slice(None)), at("2026-01-10T13:10"), config)
    assert opens.tolist() == [0, at("2026-01-10T14:00"), 0]


@given(st.integers(0, 4000), st.integers(0, 1439), st.integers(0, 1439), st.integers(0, 3600))
def test_quiet_hours_open_when_they_say(start_min: int, quiet_from: int, quiet_to: int, jitter_s: int) -> None:
    """A closed gate names a later time at which it is open (in a zone without summer time)."""
    clock = [f"{minute // 60:02}:{minute % 60:02}" for minute in (quiet_from, quiet_to)]
    config = policy(quiet_from=clock[0], quiet_to=clock[1], quiet_jitter_s=jitter_s)
    users, now_s = one_user("Asia/Shanghai"), NOW_S + start_min * 60
    until = int(quiet_hours(users, now_s, config)[0])
    if until:
        assert now_s < until <= now_s + DAY_S
        assert quiet_hours(users, until, config).tolist() == [0]


def test_waking_is_spread() -> None:
    """The end of quiet hours differs between users, by at most the jitter, and never moves for one user."""
    store = ProfileStore(4)
    store.rows_of([f"u{i}" for i in range(200)], [NOW_S] * 200)
    config = policy(quiet_from="22:00", quiet_to="07:00", quiet_jitter_s=1800)
    night = at("2026-01-10T23:00")
    opens = quiet_hours(Users(store, slice(None)), night, config).astype(int) - at("2026-01-11T07:00")
    assert opens.min() >= 0
    assert opens.max() < 1800
    assert len(set(opens.tolist())) > 100
    assert (opens == quiet_hours(Users(store, slice(None)), night + 60, config) - at("2026-01-11T07:00")).all()
    assert datetime.fromtimestamp(night, UTC).hour == 23


@given(st.integers(0, 1439), st.integers(1, 1439), st.integers(0, 2 * DAY_S), st.integers(0, 2**32 - 1))
def test_every_window_opens_within_a_day(quiet_from: int, minutes: int, jitter_s: int, salt: int) -> None:
    """Whoever is spread where, a window that is not the whole day ends, and leaves half of the rest of the day open."""
    clock = [f"{minute // 60:02}:{minute % 60:02}" for minute in (quiet_from, (quiet_from + minutes) % 1440)]
    config = policy(quiet_from=clock[0], quiet_to=clock[1], quiet_jitter_s=jitter_s)
    users = one_user(salt=salt)
    start_s = NOW_S - NOW_S % DAY_S + quiet_from * 60
    until = int(quiet_hours(users, start_s, config)[0])
    assert start_s + minutes * 60 <= until <= start_s + minutes * 60 + (1440 - minutes) * 30
    assert quiet_hours(users, until, config).tolist() == [0]
