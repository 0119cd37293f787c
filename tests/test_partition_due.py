"""Who is looked at: users whose waiting is over and users whose quiet hours ended, and nobody else."""

import numpy as np
import pytest
from making import HOUR, T0, AffinityScores, Feed, article, click, columns, partition

from streamrec.arrays import FloatArray
from streamrec.contracts.event import UserEvent
from streamrec.partition.changelog_meta import rows_and_meta
from streamrec.partition.partition import Partition

MINUTE = 60_000


def looked_at(state: Partition, now_ms: int) -> list[str]:
    """Users who met the fresh articles in this look, in order of rows."""
    users = []
    for meeting in state.meetings(now_ms):
        users += [state.profiles.users[row] for row in meeting.users.indices().tolist()]
        state.meet(meeting)
    return users


def test_who_waits_for_nothing_is_not_looked_at() -> None:
    """A look is the users' whose time has come, to the second; the next one finds nobody, nor does one of opt-outs."""
    feed = Feed(partition(session_gap_s=600))
    feed.events(click("ann"), click("bo"), UserEvent("cy", "unsubscribe", T0))
    feed.events(click("bo", "a2"), now_ms=T0 + MINUTE)
    seconds = [T0 + after_s * 1000 for after_s in (0, 599, 600, 601, 659, 660, 661, 3600)]
    seen = {at_ms: looked_at(feed.to, at_ms) for at_ms in seconds}
    assert {at_ms: users for at_ms, users in seen.items() if users} == {
        T0 + 600_000: ["ann", "cy"],
        T0 + 660_000: ["bo"],
    }


def test_who_wakes_is_looked_at_once_and_nobody_else() -> None:
    """Each at the end of their own window; not who has none, nor a row of nobody, nor who asked a minute before."""
    feed = Feed(partition(quiet_from="11:00", quiet_to="13:00", quiet_jitter_s=0))
    feed.events(*(click(user) for user in ("gone", "own", "as set", "none")))
    profiles = feed.to.profiles
    profiles.columns["quiet_from_min"][1], profiles.columns["quiet_to_min"][1] = 11 * 60, 12 * 60 + 30
    profiles.columns["quiet_from_min"][3] = profiles.columns["quiet_to_min"][3] = 0
    profiles.forget(np.array([0]))
    looked_at(feed.to, T0)
    profiles.columns["due_at_s"][:] = 0  # they wait for nothing else
    seen = {minute: looked_at(feed.to, T0 + minute * MINUTE) for minute in range(1, 121)}
    assert {minute: users for minute, users in seen.items() if users} == {30: ["own"], 60: ["as set"]}


def test_who_wakes_in_the_minute_of_a_recovery_is_looked_at() -> None:
    """Windows end at any second, and are looked at once a minute: what ended in between is the next owner's to find."""
    feed = Feed(partition(quiet_from="11:00", quiet_to="13:00", quiet_jitter_s=60, session_gap_s=0))
    feed.events(*(click(f"u{number}") for number in range(200)))
    looked_at(feed.to, T0)
    feed.to.profiles.columns["due_at_s"][:] = 0  # they wait for nothing else
    woke = [user for after_s in (0, 5, 35) for user in looked_at(feed.to, T0 + HOUR + after_s * 1000)]
    successor = Partition(feed.to.context)
    rows, meta = rows_and_meta(feed.to.encode(np.arange(200)), 24)
    successor.restore(rows.items(), meta, [])
    woke += looked_at(successor, T0 + HOUR + 65_000)
    assert {f"u{number}" for number in range(200)} == set(woke)


def test_a_first_look_wakes_nobody() -> None:
    """Where no look was before, no window ended since, though it was night when 1970 began."""
    feed = Feed(partition(quiet_from="23:00", quiet_to="01:00", quiet_jitter_s=0, session_gap_s=2 * 3600))
    feed.events(click("ann"))
    assert feed.to.looked_ms == 0
    assert looked_at(feed.to, T0) == []
    assert looked_at(feed.to, T0 + HOUR) == []
    assert looked_at(feed.to, T0 + 2 * HOUR) == ["ann"]


class FragileScores(AffinityScores):
    """Has an answer for no pair."""

    def probability(self, x: FloatArray) -> FloatArray:
        """None."""
        raise ArithmeticError(f"{len(x)} pairs")


def test_whether_a_meeting_fails_is_known_beforehand() -> None:
    """And asking changes nothing."""
    feed = Feed(partition(min_affinity=0, min_score=0, session_gap_s=600))
    state = feed.to
    feed.events(click("ann", "a1"), click("bo", "a1"))
    feed.articles(article("a2"))
    (meeting,) = state.due(T0 + 600_000)
    before = columns(state)
    assert not state.fails(meeting)
    assert state.fails(meeting._replace(lineup=meeting.lineup._replace(stable=FragileScores())))
    assert columns(state) == before
    with pytest.raises(ArithmeticError):
        state.meet(meeting._replace(lineup=meeting.lineup._replace(stable=FragileScores())))
