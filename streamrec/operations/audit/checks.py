"""check(facts, settings, now_ms): every rule of the audit over facts, pure. Nothing is concluded from what is absent
where retention or compaction may have removed it, and nothing that depends on when an event was applied unless that is
certain: an alarm is a broken promise.

The policy is the one of `settings`. Pushes made under other settings must be left out (`since_ms`).
"""

import numpy as np

from ...engine.policy.config import Policy
from ...engine.profiles.layout import PUSHED, PUSHES
from ...partition.erasures import key_of_erased
from ...settings import Settings
from .approvals import check_approvals
from .audiences import check_audiences
from .facts import Facts
from .findings import Example, Finding
from .push_history import check_history, report
from .pushes_against_events import NEVER_MS, SKEW_MS, SLACK_MS, check_certain

TOMBSTONE_KEPT_MS = 82_800_000  # an hour less than Kafka's delete.retention.ms: a younger one is still in the log


def check(facts: Facts, settings: Settings, now_ms: int, skew_ms: int = SKEW_MS) -> list[Finding]:
    """One finding a rule, those that hold included. `skew_ms` bounds how far clocks differ: 0 on one machine."""
    policy, by_event_time = Policy.of(settings), settings.policy_time == "event"
    if not by_event_time:
        _after_erasure(facts, now_ms - policy.forget_after_s * 1000, skew_ms)
    _let_erased_be(facts)
    check_history(facts, policy, by_event_time)
    check_certain(facts, policy, by_event_time, skew_ms, round(settings.max_push_lag_s * 1000) + SLACK_MS)
    check_audiences(facts)
    if not by_event_time:
        facts.commands.check(facts.pushes, facts.changelog, facts.tally, skew_ms)
        check_approvals(facts, settings.two_persons, skew_ms)
    _rows_of_pushes(facts, now_ms)
    _known_to_row(facts, skew_ms)
    for partition in range(facts.partitions):
        _strays(facts, partition)
        _cursor(facts, partition)
    return facts.tally.findings()


def _after_erasure(facts: Facts, since_ms: int, skew_ms: int) -> None:
    table, rows = facts.pushes.table, facts.changelog.rows
    if not len(table):
        return
    from_ms = np.full(len(rows), NEVER_MS)
    for user, (partition, offset) in facts.erasures.last.items():
        applied_ms = facts.changelog.applied_by_ms(partition, offset, "erasure")
        if user not in facts.erasures.unsure and applied_ms is not None:
            from_ms[user] = max(applied_ms + skew_ms, since_ms)
    begins_ms = np.where(rows["present"], rows["first_seen_s"].astype(np.int64) * 1000, NEVER_MS)[table["user"]]
    after = table["at_home"] & (table["created_ms"] > from_ms[table["user"]])
    report(facts, "after_erasure", begins_ms > table["created_ms"] + skew_ms, after)


def _let_erased_be(facts: Facts) -> None:
    """Who was erased may come back as a stranger: what they were pushed before is known to nobody."""
    if not facts.changelog.erased:
        return
    erased = [at for user, at in facts.pushes.index.items() if key_of_erased(user) in facts.changelog.erased]
    facts.pushes.table["judged"] &= ~np.isin(facts.pushes.table["user"], erased)


def _rows_of_pushes(facts: Facts, now_ms: int) -> None:
    table, changelog = facts.pushes.table, facts.changelog
    if not len(table):
        return
    keys = [user.encode() for user in facts.pushes.users]
    partitions, users = table["partition"].tolist(), table["user"].tolist()
    there = np.array([keys[user] in changelog.live[p] for p, user in zip(partitions, users, strict=True)])
    removed = np.array([keys[user] in changelog.removed[p] for p, user in zip(partitions, users, strict=True)])
    recent = table["appended_ms"] > now_ms - TOMBSTONE_KEPT_MS
    report(facts, "push_without_row", ~there & ~removed, recent & ~removed)


def _known_to_row(facts: Facts, skew_ms: int) -> None:
    """The last push of a user stands in the row's rings, unless newer ones may have taken its place."""
    table, rows = facts.pushes.table, facts.changelog.rows
    if not len(table):
        return
    can_tell, against = np.zeros(len(table), np.bool_), np.zeros(len(table), np.bool_)
    last = np.full(len(rows), -1)
    home = np.flatnonzero(table["at_home"])
    np.maximum.at(last, table["user"][home], home)  # a user's home is one partition, taken in the order of its log
    users = np.flatnonzero((last >= 0) & rows["present"])
    pushes = last[users]
    at_s, created_s = rows["pushed_at_s"][users], table["created_ms"][pushes] // 1000
    whole = (rows["n_pushes"][users] <= PUSHES) | (at_s.min(axis=1) < created_s - SKEW_MS // 1000)
    same_row = rows["first_seen_s"][users] <= created_s - skew_ms // 1000  # not one of a user who came back
    can_tell[pushes] = whole & same_row
    told = (rows["pushed_story"][users] == table["story"][pushes][:, None]) & (at_s == created_s[:, None])
    by_key = rows["seen"][users] == table["article"][pushes][:, None]
    seen = (by_key & ((rows["seen_acts"][users] & PUSHED) > 0)).any(axis=1) | (rows["floor_s"][users] > 0)
    against[pushes] = ~(told.any(axis=1) & seen)
    report(facts, "row_behind_push", against, can_tell)


def _strays(facts: Facts, partition: int) -> None:
    live, tally = facts.changelog.live, facts.tally
    tally.checked("wrong_partition", len(live[partition]))
    tally.checked("user_in_two_partitions", len(live[partition]))
    for key, (home, offset) in facts.changelog.strays[partition].items():
        if key not in live[partition]:
            continue  # cleaned up
        example = Example("changelog", partition, offset, key.decode(), f"belongs to partition {home}")
        tally.violated("wrong_partition", example)
        others = [number for number, keys in enumerate(live) if number != partition and key in keys]
        if others:
            note = f"also in {', '.join(map(str, others))}"
            tally.violated("user_in_two_partitions", example._replace(note=note))


def _cursor(facts: Facts, partition: int) -> None:
    changelog, tally = facts.changelog, facts.tally
    cursor, offset = changelog.cursors[partition], changelog.cursor_offsets[partition]
    if changelog.live[partition]:
        tally.checked("cursor_missing")
        if offset < 0:
            tally.violated("cursor_missing", Example("changelog", partition, -1, note="rows, and no cursor"))
    for topic, to in cursor.items():
        end = facts.ends.get((topic, partition))
        if end is not None:
            tally.checked("cursor_beyond_end")
            if to > end:
                example = Example("changelog", partition, offset, note=f"{topic} at {to}, the topic ends at {end}")
                tally.violated("cursor_beyond_end", example)
