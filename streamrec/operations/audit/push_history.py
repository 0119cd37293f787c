"""Rules on a user's pushes among themselves: doubled, too many, too soon.

An article is never pushed twice, a story not within 8 pushes. A gate sees the last 8 pushes in the row's ring, by the
policy clock in whole seconds and in the order of decision, which is the order of the log. The same 8 are looked at
here, so a clock that stepped back, or a push that retention has removed, never makes a false alarm. Pushes from before
a row's first event (the user was erased, or forgotten, and came back) are not among them. A user's own cap raises the
limit; a lower one may be newer than the pushes.
"""

from typing import NamedTuple

import numpy as np

from ...arrays import AnyArray, BoolArray, IntArray
from ...engine.policy.config import Policy
from ...engine.policy.gates.daily_cap import DAY_S
from ...engine.profiles.layout import PUSHES
from .facts import Facts
from .findings import RULES

ID = ("id_high", "id_low")


class Before(NamedTuple):
    """What the ring held before each push, in the order of the table, (N,)."""

    within_day: IntArray
    last_s: IntArray  # 0 = no push before
    same: BoolArray  # article or story is among them


def check_history(facts: Facts, policy: Policy, by_event_time: bool) -> None:
    """Judge each user's pushes by the rules of this module, and report into the tally of `facts`."""
    table = facts.pushes.table
    if not len(table):
        return
    before, created_s = _before(facts), table["created_ms"] // 1000
    cap = np.maximum(policy.daily_cap, np.minimum(facts.changelog.own_cap, PUSHES))[table["user"]]
    soon = (before.last_s > 0) & (created_s < before.last_s + policy.min_interval_s)
    report(facts, "daily_cap", (before.within_day >= cap), ~_bypassed(table, "daily_cap", policy))
    report(facts, "min_interval", soon, ~_bypassed(table, "min_interval", policy))
    everyone = np.ones(len(table), np.bool_)
    report(facts, "already_pushed", before.same | _repeats(facts, ("user", "article")), everyone)
    report(facts, "duplicate_push", _repeats(facts, ID), everyone)
    report(facts, "two_pushes_one_decision", *_together(facts, policy, by_event_time))


def report(facts: Facts, rule: str, against: BoolArray, can_tell: BoolArray) -> None:
    """Count the pushes a rule could judge, and those it is against."""
    assert rule in RULES
    judged = facts.pushes.table["judged"] & can_tell
    facts.tally.checked(rule, int(judged.sum()))
    for at in np.flatnonzero(judged & against).tolist():
        facts.tally.violated(rule, facts.pushes.example(at))


def born_s(facts: Facts) -> IntArray:
    """First event of each push's user as the row knows it, 0 without a row, (N,)."""
    rows = facts.changelog.rows
    born = np.where(rows["present"], rows["first_seen_s"], 0).astype(np.int64)
    return np.asarray(born[facts.pushes.table["user"]])


def _bypassed(table: AnyArray, rule: str, policy: Policy) -> BoolArray:
    # whether a due user met this article alone is not known, so every breaking push may have been let through
    return np.asarray(table["breaking"] & (rule in policy.breaking_bypasses))


def _before(facts: Facts) -> Before:
    table, born = facts.pushes.table, born_s(facts)
    order = np.lexsort((table["partition"], table["user"]))  # stable: within a user and partition as in the log
    user, partition, article, story = (table[name][order] for name in ("user", "partition", "article", "story"))
    created_s, born = table["created_ms"][order] // 1000, born[order]
    within_day, last_s, same = (
        np.zeros(len(table), np.int64),
        np.zeros(len(table), np.int64),
        np.zeros(len(table), bool),
    )
    for back in range(1, min(PUSHES, len(table) - 1) + 1):
        earlier_s = created_s[:-back]
        counts = (user[back:] == user[:-back]) & (partition[back:] == partition[:-back]) & (earlier_s >= born[back:])
        within_day[back:] += counts & (earlier_s > created_s[back:] - DAY_S)
        last_s[back:] = np.maximum(last_s[back:], np.where(counts, earlier_s, 0))
        same[back:] |= counts & ((article[back:] == article[:-back]) | (story[back:] == story[:-back]))
    place = np.empty(len(table), np.intp)
    place[order] = np.arange(len(table))
    return Before(within_day[place], last_s[place], same[place])


def _together(facts: Facts, policy: Policy, by_event_time: bool) -> tuple[BoolArray, BoolArray]:
    """Same user, same millisecond, another push; and where that cannot be two decisions.

    Two articles may meet a user in one millisecond; the minimum interval then stops the second one, unless it is 0 or
    bypassed. In a replay users who are due are looked for once a tick.
    """
    table = facts.pushes.table
    if policy.min_interval_s > 0:
        can_tell = ~_bypassed(table, "min_interval", policy)
        return _repeats(facts, ("user", "created_ms")) & ~_repeats(facts, ID), can_tell
    return _repeats(facts, ("user", "created_ms", "due")) & ~_repeats(facts, ID), table["due"] & by_event_time


def _repeats(facts: Facts, names: tuple[str, ...]) -> BoolArray:
    """Pushes that agree in these columns with one taken before them, (N,)."""
    table, born = facts.pushes.table, born_s(facts)
    found = np.zeros(len(table), np.bool_)
    order = np.lexsort([table[name] for name in names])  # stable
    later, earlier = order[1:], order[:-1]
    agree = table["created_ms"][earlier] // 1000 >= born[later]
    for name in names:
        agree &= table[name][later] == table[name][earlier]
    found[later] = agree
    return found
