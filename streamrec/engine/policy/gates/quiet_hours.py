"""Quiet hours in the user's own IANA zone: summer time and windows over midnight included.

The window is [from, to) in local minutes of the day; the end is moved by up to `quiet_jitter_s`, fixed per user, so
that a zone does not wake up all at once. Half of what the window leaves of the day stays open for everybody: the jitter
is spread over the other half where it is longer.
"""

from bisect import bisect_left

import numpy as np

from ....arrays import BoolArray, IntArray
from ...profiles.layout import NO_OVERRIDE
from ...profiles.store import Users
from ...profiles.zones import offset_minutes
from ..config import Policy
from ..types import UntilArray

DAY_MIN = 1440
QUARTER_S = 900  # zones change at full quarters of an hour


def quiet_hours(users: Users, now_s: int, policy: Policy) -> UntilArray:
    """When the gate opens, (N,) s; 0 = open: at the end of the user's window, jittered."""
    if policy.quiet_from_min == policy.quiet_to_min and (users["quiet_from_min"] == users["quiet_to_min"]).all():
        return np.zeros(len(users), np.uint32)
    start, end = _window(users, policy)
    offset = offset_minutes(users["zone_slot"], now_s, policy.default_zone)
    local_s = now_s + offset * 60
    since_start_s = (local_s - start * 60) % (DAY_MIN * 60)
    window_s = ((end - start) % DAY_MIN) * 60
    length_s = window_s + _jitter_s(users, window_s, policy)
    quiet = (start != end) & (since_start_s < length_s)
    until = _with_clocks_changed(users, now_s, now_s + length_s - since_start_s, quiet, offset, policy)
    return np.where(quiet, until, 0).astype(np.uint32)


def _window(users: Users, policy: Policy) -> tuple[IntArray, IntArray]:
    start = users["quiet_from_min"].astype(np.int64)
    end = users["quiet_to_min"].astype(np.int64)
    return (
        np.where(start == NO_OVERRIDE, policy.quiet_from_min, start),
        np.where(end == NO_OVERRIDE, policy.quiet_to_min, end),
    )


def _jitter_s(users: Users, window_s: IntArray, policy: Policy) -> IntArray:
    most_s = np.minimum(policy.quiet_jitter_s, (DAY_MIN * 60 - window_s) // 2)
    return np.asarray(users["salt"].astype(np.int64) % np.maximum(most_s, 1))


def _with_clocks_changed(
    users: Users, now_s: int, until: IntArray, quiet: BoolArray, offset: IntArray, policy: Policy
) -> IntArray:
    """`until` moved where the zone changes to or from summer time before; an end that no clock shows is that change.

    An hour that clocks show twice does not interrupt a window that began in it.
    """
    if not quiet.any():
        return until
    slots, latest_s = users["zone_slot"], int(until[quiet].max())
    changing = np.flatnonzero(quiet & (offset_minutes(slots, latest_s, policy.default_zone) != offset))
    for slot in np.unique(slots[changing]).tolist():
        change_s, shift_s = _change(slot, now_s, latest_s, policy.default_zone)
        rows = changing[(slots[changing] == slot) & (until[changing] >= change_s)]
        until[rows] = np.maximum(until[rows] + shift_s, change_s)
    return until


def _change(slot: int, now_s: int, later_s: int, default_zone: str) -> tuple[int, int]:
    """When the zone's offset changes between the two moments, and by how many seconds ends then come later."""
    zone = np.array([slot], np.uint16)
    before = offset_minutes(zone, now_s, default_zone)[0]
    quarters = range(now_s // QUARTER_S + 1, later_s // QUARTER_S + 1)
    first = bisect_left(
        quarters, True, key=lambda quarter: offset_minutes(zone, quarter * QUARTER_S, default_zone)[0] != before
    )
    change_s = quarters[first] * QUARTER_S
    return change_s, int(before - offset_minutes(zone, change_s, default_zone)[0]) * 60
