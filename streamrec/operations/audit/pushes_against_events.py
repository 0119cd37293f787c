"""Rules on pushes and events: opt-out, preferences, already read, quiet hours. Only what is certain is judged.

The log does not say which event was applied before which push. But whoever decides later than this knows an event, or
broke the rule that first all is read (worker/writing/catch_up.py):

    applied   a cursor beyond it was put together, at the time that record carries
    taken in  an owner who came after the event was appended wrote the record each owner begins with
    in time   it was appended longer ago than a partition may lag behind while it pushes, and SLACK_MS

An opt-out in another partition's events has to be known there at a takeover, or in time, once something was sent on:
where nothing ever strayed nobody waits for it.

Clocks of machines differ, so a push is judged if it was made more than `skew_ms` after that. In a replay the policy
clock is another one: nothing is told.

Zone    A row without a zone never had one: zones come and are replaced, never removed. A user of whom all retained
        events name one zone, the row's, had it from the first of them on. Others are not judged.
Window  Users with a window or a zone of their own, or who ever had one, are not judged: it may be newer than the push.
"""

import zlib
from typing import cast

import numpy as np

from ...arrays import AnyArray, BoolArray, IndexArray, IntArray
from ...contracts.ids import key_of
from ...contracts.partitioner import partition_of
from ...contracts.text import clean_name
from ...engine.policy.config import Policy
from ...engine.policy.gates.quiet_hours import quiet_hours
from ...engine.profiles.layout import CONSENT_OUT, NO_OVERRIDE, READ
from ...engine.profiles.store import Users
from ...engine.profiles.zones import zone_slots
from .events import NOWHERE, At, pairs
from .facts import Facts
from .preferences import is_against
from .push_history import born_s, report

SKEW_MS = 60_000
SLACK_MS = 10_000  # how late a worker may hear of an end, and that it is behind
NEVER_MS = 2**62
NO_OFFSET = 2**62  # in `events`: no cursor says when it was applied


def check_certain(
    facts: Facts, policy: Policy, by_event_time: bool, skew_ms: int = SKEW_MS, lag_ms: int = NEVER_MS
) -> None:
    """Judge every push by the rules of this module, and report into the tally of `facts`."""
    if not len(facts.pushes.table):
        return
    if not by_event_time:
        report(facts, "opt_out", *_after_opt_out(facts, skew_ms, lag_ms))
        report(facts, "already_read", *_after_reading(facts, skew_ms, lag_ms))
        report(facts, "preferences", *_unwanted(facts, skew_ms, lag_ms))
    if policy.quiet_from_min != policy.quiet_to_min:
        report(facts, "quiet_hours", *_while_quiet(facts, policy, None if by_event_time else skew_ms, lag_ms))


def _known_from_ms(facts: Facts, user: int, at: At, skew_ms: int, lag_ms: int) -> int:
    """Pushes made later than this knew the event, or had to; NEVER_MS where that is not certain."""
    row, changelog = facts.changelog.rows[user], facts.changelog
    if not row["present"] or at.appended_ms // 1000 < row["first_seen_s"]:
        return NEVER_MS
    applied_ms = changelog.applied_by_ms(at.partition, at.offset)
    taken_ms = changelog.taken_over_ms(at.partition, at.appended_ms + skew_ms)
    moments = [moment for moment in (applied_ms, taken_ms) if moment is not None]
    return min([*moments, at.appended_ms + lag_ms], default=NEVER_MS) + skew_ms


def _sent_on_from_ms(facts: Facts, user: int, at: At, skew_ms: int, lag_ms: int) -> int:
    """The same of an event in a partition where its user does not live."""
    row, changelog = facts.changelog.rows[user], facts.changelog
    sent_ms = [changelog.applied_by_ms(first.partition, first.offset) for first in facts.events.strays.values()]
    stray_ms = min([moment for moment in sent_ms if moment is not None], default=NEVER_MS) + SLACK_MS
    if not row["present"] or at.appended_ms // 1000 < row["first_seen_s"]:
        return NEVER_MS
    home = partition_of(facts.pushes.users[user], facts.partitions)
    taken_ms = changelog.taken_over_ms(home, max(at.appended_ms, stray_ms) + skew_ms)
    in_time_ms = max(at.appended_ms + lag_ms, stray_ms)
    return min(in_time_ms, NEVER_MS if taken_ms is None else taken_ms, NEVER_MS) + skew_ms


def _after_opt_out(facts: Facts, skew_ms: int, lag_ms: int) -> tuple[BoolArray, BoolArray]:
    table, rows, events = facts.pushes.table, facts.changelog.rows, facts.events
    from_ms = np.full(len(rows), NEVER_MS)
    for user, said in events.left.items():
        if user in events.unsure or user in facts.preferences.consents or rows["consent"][user] != CONSENT_OUT:
            continue
        home = partition_of(facts.pushes.users[user], facts.partitions)
        known_ms = [
            (_known_from_ms if at.partition == home else _sent_on_from_ms)(facts, user, at, skew_ms, lag_ms)
            for at in said.values()
        ]
        from_ms[user] = min(known_ms)
    can_tell = (from_ms < NEVER_MS)[table["user"]] & table["at_home"]
    return table["created_ms"] > from_ms[table["user"]], can_tell


def _after_reading(facts: Facts, skew_ms: int, lag_ms: int) -> tuple[BoolArray, BoolArray]:
    """The row remembers the article as read, and did when it was pushed: nothing ever left it, or it was read once."""
    table, rows = facts.pushes.table, facts.changelog.rows
    pair = pairs(table["user"], table["article"])
    read = np.isin(pair, np.array(list(facts.events.reads), np.uint64)) & table["at_home"]
    against, can_tell = np.zeros(len(table), np.bool_), np.zeros(len(table), np.bool_)
    for push in np.flatnonzero(read).tolist():
        (first, count), user = facts.events.reads[int(pair[push])], int(table["user"][push])
        stayed = rows["floor_s"][user] == 0 or count == 1
        remembered = (rows["seen"][user] == table["article"][push]) & ((rows["seen_acts"][user] & READ) > 0)
        if first is not None and stayed and remembered.any():
            known_ms = _known_from_ms(facts, user, first, skew_ms, lag_ms)
            can_tell[push] = known_ms < NEVER_MS
            against[push] = table["created_ms"][push] > known_ms
    return against, can_tell


def _unwanted(facts: Facts, skew_ms: int, lag_ms: int) -> tuple[BoolArray, BoolArray]:
    """Against what the user had said they want, where that had to be known."""
    table, against, can_tell = facts.pushes.table, *(np.zeros(len(facts.pushes.table), np.bool_) for _ in range(2))
    articles = facts.articles.certain()
    stated = np.isin(table["user"], np.array(list(facts.preferences.stated), np.uint32)) & table["at_home"]
    for push in np.flatnonzero(stated).tolist():
        row = table[push]

        def known_ms(appended_ms: int, user: int = int(row["user"]), at: int = int(row["partition"])) -> int:
            return _known_from_ms(facts, user, At(at, NO_OFFSET, appended_ms), skew_ms, lag_ms)

        said = facts.preferences.certain(int(row["user"]), int(row["created_ms"]), known_ms, skew_ms)
        if said is not None:
            can_tell[push] = True
            spoke = facts.events.spoke_of_consent(int(row["user"]))
            names = {"stories": {int(row["story"])}, "categories": {int(row["category"])}}
            if (article := articles.get(int(row["article"]))) is not None:
                tags = {*article.tags, *article.keywords}
                names |= {"sources": {key_of(clean_name(article.source))}, "tags": set(map(key_of, tags))}
            against[push] = is_against(said, names, bool(row["breaking"]), events_say=spoke)
    return against, can_tell


def _while_quiet(facts: Facts, policy: Policy, skew_ms: int | None, lag_ms: int) -> tuple[BoolArray, BoolArray]:
    table, rows = facts.pushes.table, facts.changelog.rows
    as_settings = (rows["quiet_from_min"] == NO_OVERRIDE) & (rows["quiet_to_min"] == NO_OVERRIDE) & rows["present"]
    from_ms = np.where(rows["zone"] == 0, 0, NEVER_MS)
    if skew_ms is not None:
        _since_zoned(facts, from_ms, skew_ms, lag_ms)
    as_settings[list(facts.preferences.own_hours)] = False
    created_ms, user = table["created_ms"], table["user"]
    can_tell = (
        as_settings[user] & table["at_home"] & (created_ms // 1000 >= born_s(facts)) & (created_ms > from_ms[user])
    )
    if "quiet_hours" in policy.breaking_bypasses:
        can_tell &= ~table["breaking"]
    return _quiet(facts, np.flatnonzero(can_tell), policy), can_tell


def _since_zoned(facts: Facts, from_ms: IntArray, skew_ms: int, lag_ms: int) -> None:
    rows, events = facts.changelog.rows, facts.events
    settled = rows["present"] & (rows["zone"] == events.zone) & (events.zone > 0) & ~events.moved
    for user in np.flatnonzero(settled & (events.zone_at[:, 0] != NOWHERE)).tolist():
        from_ms[user] = _known_from_ms(facts, user, At(*events.zone_at[user].tolist()), skew_ms, lag_ms)


def _quiet(facts: Facts, pushes: IndexArray, policy: Policy) -> BoolArray:
    """For which pushes the gate of quiet hours was closed when they were decided, (N,), by the gate itself."""
    table, rows = facts.pushes.table, facts.changelog.rows
    quiet = np.zeros(len(table), np.bool_)
    created_s = table["created_ms"] // 1000
    by_time = pushes[np.argsort(created_s[pushes], kind="stable")]
    starts = np.flatnonzero(np.diff(created_s[by_time], prepend=-1))
    for chosen in np.split(by_time, starts[1:]) if len(by_time) else []:
        users = table["user"][chosen]
        columns: dict[str, AnyArray] = {
            "quiet_from_min": rows["quiet_from_min"][users],
            "quiet_to_min": rows["quiet_to_min"][users],
            "zone_slot": zone_slots(rows["zone"][users]),
            "salt": np.array([zlib.crc32(facts.pushes.users[user].encode()) for user in users.tolist()], np.uint32),
        }
        quiet[chosen] = quiet_hours(cast(Users, columns), int(created_s[chosen[0]]), policy) > 0
    return quiet
