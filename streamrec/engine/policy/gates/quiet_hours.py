"""Quiet hours in the user's own IANA zone: summer time and windows over midnight included.

The window is [from, to) in local minutes of the day; the end is moved by up to `quiet_jitter_s`, fixed per user, so
that a zone does not wake up all at once. Half of what the window leaves of the day stays open for everybody: the jitter
is spread over the other half where it is longer.
"""

import numpy as np

from ....arrays import BoolArray, IntArray
from ...profiles.layout import NO_OVERRIDE
from ...profiles.store import Users
from ...profiles.zones import offset_minutes
from ..config import Policy
from ..types import UntilArray

DAY_MIN = 1440


def quiet_hours(users: Users, now_s: int, policy: Policy) -> UntilArray:
    """Opens at the end of the user's window, jittered."""
    if policy.quiet_from_min == policy.quiet_to_min and (users["quiet_from_min"] == users["quiet_to_min"]).all():
        return np.zeros(len(users), np.uint32)
    start, end = _window(users, policy)
    offset = offset_minutes(users["zone_slot"], now_s, policy.default_zone)
    local_s = now_s + offset * 60
    since_start_s = (local_s - start * 60) % (DAY_MIN * 60)
    window_s = ((end - start) % DAY_MIN) * 60
    length_s = window_s + _jitter_s(users, window_s, policy)
    quiet = (start != end) & (since_start_s < length_s)
    until = now_s + length_s - since_start_s
    return np.where(quiet, until + _shift_s(users, now_s, until, quiet, offset, policy), 0).astype(np.uint32)


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


def _shift_s(users: Users, now_s: int, until: IntArray, quiet: BoolArray, offset: IntArray, policy: Policy) -> IntArray:
    """Correction where the zone changes to or from summer time before the window ends."""
    if not quiet.any():
        return np.zeros(len(until), np.int64)
    later = offset_minutes(users["zone_slot"], int(until[quiet].max()), policy.default_zone)
    return (offset - later) * 60
