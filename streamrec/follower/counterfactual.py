"""What would have to be otherwise for a push: each change is tried, alone, by asking `decide` again.

A change is the smallest of its kind: the moment when the gates open, a cap of one more, the floor at the reader's own
affinity. Where several things stand in the way no single change helps; then they are made one after the other, each
for the reason that is left.
"""

from collections.abc import Callable
from math import floor

import msgspec
import numpy as np

from ..decide import bypassed_by, closed_until
from ..engine.policy.config import NEVER
from ..engine.policy.gates import GATES
from ..engine.policy.gates.daily_cap import DAY_S
from ..engine.profiles.layout import CONSENT_IN, NO_CAP, PUSHES
from .world import World

LOOKS = 16  # at later moments, as one gate closes while another opens
MOST = 6  # changes made together


class Change(msgspec.Struct, frozen=True):
    """One thing that would be otherwise."""

    what: str  # later, breaking, consent, or the setting or field that would have another value
    value: float  # for `later` ms since 1970
    was: float
    says: str


Supposed = tuple[Change, World]
Kind = Callable[[World], Supposed | None]


def single_changes(world: World) -> list[Change]:
    """Changes each of which alone would push it, in the order of KINDS; empty if it is pushed anyway."""
    if world.met().verdict is None:
        return []
    supposed = (kind(world) for kind in dict.fromkeys(KINDS.values()))
    return [change for change, changed in filter(None, supposed) if changed.met().verdict is None]


def changes_together(world: World) -> list[Change]:
    """Changes that push it together, each for the reason left by those before; empty where nothing known helps."""
    made: list[Change] = []
    while (reason := world.met().verdict) is not None:
        kind = KINDS.get(reason)
        found = kind(world) if kind else None
        if found is None or len(made) == MOST:
            return []
        made.append(found[0])
        world = found[1]
    return made


def later(world: World) -> Supposed | None:
    """When all gates are open, the article is out, and no gate has closed meanwhile."""
    moved = world
    for _ in range(LOOKS):
        opens_ms = max(
            _gates_open_ms(moved), *(int(world.catalog[name][world.slot]) for name in ("embargo_ms", "published_ms"))
        )
        if opens_ms >= NEVER * 1000:
            return None
        if opens_ms <= moved.now_ms:
            break
        moved = moved._replace(now_ms=opens_ms)
    if moved.now_ms == world.now_ms:
        return None
    wait_s = -((world.now_ms - moved.now_ms) // 1000)
    return Change("later", moved.now_ms, world.now_ms, f"{_duration(wait_s)} later"), moved


def _gates_open_ms(world: World) -> int:
    bypassed = bypassed_by(world.catalog, world.slots, world.policy)
    now_s = world.now_ms // 1000
    return 1000 * max(int(closed_until(gate, world.users, now_s, world.policy, bypassed)[0]) for gate in GATES)


def opt_out(world: World) -> Supposed | None:
    """The reader had not unsubscribed."""
    was = int(world.users["consent"][0])
    change = Change("consent", CONSENT_IN, was, "with the reader's consent")
    return change, world.supposing_row(consent=CONSENT_IN)


def daily_cap(world: World) -> Supposed | None:
    """A cap of one more than the pushes of the last 24 hours; the reader's own, where there is one."""
    now_s, own = world.now_ms // 1000, int(world.users["daily_cap"][0])
    cap = int((world.users["pushed_at_s"][0] > max(now_s - DAY_S, 0)).sum()) + 1
    if cap > PUSHES:
        return None
    if own != NO_CAP:
        return Change("own_daily_cap", cap, own, f"with an own cap of {cap}"), world.supposing_row(daily_cap=cap)
    was, policy = world.policy.daily_cap, world.policy._replace(daily_cap=cap)
    return Change("daily_cap", cap, was, f"with a cap of {cap}"), world._replace(policy=policy)


def min_interval(world: World) -> Supposed | None:
    """An interval as long as the time since the last push."""
    since_s = max(world.now_ms // 1000 - int(world.users["pushed_at_s"][0].max()), 0)
    change = Change("min_interval_s", since_s, world.policy.min_interval_s, f"with an interval of {_duration(since_s)}")
    return change, world._replace(policy=world.policy._replace(min_interval_s=since_s))


def quiet_hours(world: World) -> Supposed | None:
    """The reader had no quiet hours."""
    was = int(world.users["quiet_from_min"][0])
    change = Change("quiet_from_min", 0, was, "without quiet hours")
    return change, world.supposing_row(quiet_from_min=0, quiet_to_min=0)


def in_session(world: World) -> Supposed | None:
    """A session that ends as long after the last activity as this moment is."""
    since_s = max(world.now_ms // 1000 - int(world.users["last_active_s"][0]), 0)
    change = Change("session_gap_s", since_s, world.policy.session_gap_s, f"with a session gap of {_duration(since_s)}")
    return change, world._replace(policy=world.policy._replace(session_gap_s=since_s))


def low_affinity(world: World) -> Supposed | None:
    """The floor at what the pair has, to four digits."""
    value, was = _below(float(world.pair().affinity[0])), world.policy.min_affinity
    if value < 0:  # no setting can be
        return None
    change = Change("min_affinity", value, was, f"with a floor of {value:.4f}, {value - was:+.4f}")
    return change, world._replace(policy=world.policy._replace(min_affinity=value))


def low_score(world: World) -> Supposed | None:
    """The threshold at what the model says, to four digits: how much the score was short of it."""
    relevance = world.met().relevance
    if relevance is None:  # something else came before
        return None
    value, was = _below(relevance), world.policy.min_score
    change = Change("min_score", value, was, f"with a score {was - relevance:+.4f}, or a threshold of {value:.4f}")
    return change, world._replace(policy=world.policy._replace(min_score=value))


def muted_category(world: World) -> Supposed | None:
    """The reader had not muted the article's category."""
    was, slot = int(world.users["muted"][0]), int(world.catalog["category"][world.slot])
    muted = was & ~(1 << slot)
    return Change("muted", muted, was, "were its category not muted"), world.supposing_row(muted=muted)


def cooldown(world: World) -> Supposed | None:
    """The reader had dismissed nothing of the article's category."""
    negatives = world.users["negatives"][0].copy()
    same = negatives["category"] == world.catalog["category"][world.slot]
    was = int(negatives["until_s"][same].max(initial=0))
    negatives["until_s"][same] = 0
    return Change("negatives", 0, was, "were its category not resting"), world.supposing_row(negatives=negatives)


def breaking(world: World) -> Supposed | None:
    """The article were breaking news."""
    was = int(world.catalog["breaking"][world.slot])
    if was:
        return None
    return Change("breaking", 3, was, "as breaking news"), world.supposing_article(breaking=3)


# by the reason each is made for, but the first and the last; the smallest to ask of anybody first
KINDS: dict[str, Kind] = {
    "later": later,
    "low_score": low_score,
    "low_affinity": low_affinity,
    "daily_cap": daily_cap,
    "min_interval": min_interval,
    "in_session": in_session,
    "quiet_hours": quiet_hours,
    "cooldown": cooldown,
    "muted_category": muted_category,
    "opt_out": opt_out,
    "embargo": later,
    "breaking": breaking,
}


def _below(value: float) -> float:
    """The largest number of four digits that is not above."""
    return floor(float(np.float32(value)) * 10_000) / 10_000


def _duration(seconds: int) -> str:
    hours, rest = divmod(seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = ((hours, "h"), (minutes, "min"), (seconds, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
