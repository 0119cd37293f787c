"""What one simulated run is made of, all from its seed: settings, users, articles, events, and what is wrong in them.

Records come twice, late, out of order, unreadable, to the wrong partition, about articles not published yet, and some
are poison: `FragilePartition` raises on them, as a bug would.
"""

import zlib
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import msgspec
import numpy as np
import orjson

from ...contracts.article import AnalysedArticle, Status
from ...contracts.audience import Audience, Ramp
from ...contracts.partitioner import partition_of
from ...settings import Settings, load
from .faulty_partition import POISON, at_once

PARTITIONS = 2
START_MS = 1_764_072_000_000
MINUTE_MS = 60_000
ZONES = ("Asia/Shanghai", "America/New_York")
NIGHTS = (("12:10", "13:30"), ("20:10", "00:30"), ("07:10", "08:30"))  # soon after 12:00 UTC, there and in ZONES


CATEGORIES = ("science", "sports", "politics", "world", "food", "health")
ASTRAY = 0.1  # of events
ARTICLES, OFTEN = 200, 8  # every second record is about one of the few
COMMANDS = 0.1  # so many come with a record of another kind
COMMANDED = ("stop", "resume", "hold", "release", "retract", "correct", "pin", "unpin")
COMMAND_SHARES = (0.16, 0.24, 0.12, 0.14, 0.1, 0.14, 0.05, 0.05)
APPROVALS = 0.4  # the same of approvals, once there is an article with an audience
ERASURES = 0.04  # the same of requests to forget a reader
ACTIONS = ("click", "open", "impression", "dwell", "save", "dislike", "dismiss", "unsubscribe", "subscribe")
LONG = 8  # times as many records, in every tenth run: readers then deal with more than a row remembers
QUERIES = (  # of searches, which come in place of half the impressions
    "volcano Iceland", "iceland  VOLCANO", "the volcano", "quantum chip record in Zurich today", "champions league",
    "of the", "2026", "  ", "",
)  # fmt: skip
STATEMENTS: dict[str, list[Any]] = {  # what a simulated reader may say they want
    "daily_cap": [0, 1, 2, 8, None], "quiet_hours": ["12:05-12:50", "11:00-11:30", "00:00-00:00", None],
    "zone": [*ZONES, None], "languages": [["en"], ["da"], ["da", "en"], None],
    "level": ["breaking", "none", "all", None],
    "profiling": [False, True, True, None], "consent": [False, True, True],
    "categories": [{"science": "mute"}, {"sports": "mute", "food": "follow"}, {"science": None, "sports": None}],
    "sources": [{"desk0": "mute"}, {"desk1": "follow"}, {"desk0": None}],
    "stories": [{"s1": "mute"}, {"s2": "follow", "s1": None}],
    "tags": [{"volcano": "mute"}, {"volcano": None}, {"storm watch": "mute"}, {"storm watch": "follow"}],
}  # fmt: skip
SHARES = (0.42, 0.1, 0.08, 0.04, 0.06, 0.1, 0.06, 0.07, 0.07)


class Arrival(NamedTuple):
    """A record that is appended to a topic after a pause; `poison`, `bad`: what has to become of it."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    pause_ms: int
    reason: str = ""  # of the dead letter it has to become


@dataclass
class Inputs:
    """The settings of one simulated run, and all records that arrive in it."""

    settings: Settings
    arrivals: list[Arrival]


def inputs(rng: np.random.Generator) -> Inputs:
    """The settings of one run and all that will arrive in it, in order."""
    arrivals: list[Arrival] = []
    first_ms: dict[str, int] = {}  # when an article became known
    clock_ms = START_MS
    searching, addressing = rng.spawn(2)  # of their own, so that no other draw of a seed depends on these
    commanding, preferring, erasing = rng.spawn(3)
    (approving,) = rng.spawn(1)
    versions: list[tuple[str, int]] = []  # of articles with an audience: id and digest
    users = [f"u{rng.integers(1000)}" for _ in range(rng.integers(2, 9))]
    for _ in range(int(rng.integers(10, 60)) * (LONG if rng.random() < 0.1 else 1)):
        pause_ms = int(rng.choice([0, 1, 30, 2_000, 20 * MINUTE_MS], p=[0.5, 0.2, 0.15, 0.1, 0.05]))
        clock_ms += pause_ms
        if rng.random() < 0.2:
            new = _article(rng, addressing, clock_ms, pause_ms, first_ms)
            said = orjson.loads(new[0].value or b"")
            versions += [(said["article_id"], said["digest"])] if said["audience"] else []
        elif rng.random() < 0.08:
            new = [_unreadable(rng, pause_ms)]
        else:
            new = [_event(rng, searching, users, clock_ms, pause_ms)]
        if commanding.random() < COMMANDS:
            new += _command(commanding, clock_ms)
        if versions and approving.random() < APPROVALS:
            new = [*new, *_approval(approving, versions, clock_ms)]
        if preferring.random() < 0.15:
            new = [*new, _preference(preferring, users, clock_ms)]
        if erasing.random() < ERASURES:
            new = [*new, *_erasure(erasing, users, clock_ms)]
        arrivals += new
        if rng.random() < 0.1:  # sent again
            arrivals += [arrival._replace(pause_ms=0) for arrival in new]
    two_persons = str(approving.choice(["off", "everybody", "audience"], p=[0.6, 0.2, 0.2]))
    return Inputs(_settings(rng).changed(two_persons=two_persons), arrivals)


def _approval(rng: np.random.Generator, versions: list[tuple[str, int]], at_ms: int) -> list[Arrival]:
    """Of one of two editors, to all partitions: of the newest versions, or of one that has been replaced."""
    article_id, digest = versions[-int(rng.integers(1, min(4, len(versions)) + 1))]
    said = {
        "action": "approve", "who": f"editor{rng.integers(2)}", "why": "simulated", "at_ms": at_ms,
        "command_id": f"c{rng.integers(10**9)}", "article_id": article_id, "digest": digest,
    }  # fmt: skip
    return [Arrival("control", number, None, orjson.dumps(said), 0) for number in range(PARTITIONS)]


def _command(rng: np.random.Generator, at_ms: int) -> list[Arrival]:
    """One command, to all partitions, as an editor gives it: sometimes late, on what is unknown, or unreadable."""
    action = str(rng.choice(COMMANDED, p=COMMAND_SHARES))
    said: dict[str, Any] = {
        "action": action, "who": f"editor{rng.integers(2)}", "why": "simulated",
        "at_ms": at_ms - int(rng.choice([0, 0, 0, 2_000])), "command_id": f"c{rng.integers(10**9)}",
    }  # fmt: skip
    if action in {"hold", "release", "retract", "correct"}:
        said["article_id"] = f"a{rng.integers(OFTEN)}"
    elif action in {"stop", "resume"} and rng.random() < 0.7:
        said["category"] = str(rng.choice(CATEGORIES))
    elif action in {"pin", "unpin"}:
        said["setting"] = "daily_cap"
    if action == "pin":
        said |= {"value": 1, "until_ms": at_ms + 20 * MINUTE_MS}
    elif action in {"stop", "hold"} and rng.random() < 0.5:
        said["until_ms"] = at_ms + int(rng.choice([30, 2_000, 20 * MINUTE_MS]))
    if rng.random() < 0.05:
        value, reason = b'{"action":"release","who":"x"}', "invalid"
    else:
        value, reason = orjson.dumps(said), ""
    return [Arrival("control", number, None, value, 0, reason) for number in range(PARTITIONS)]


def _settings(rng: np.random.Generator) -> Settings:
    quiet_from, quiet_to = NIGHTS[int(rng.integers(len(NIGHTS)))] if rng.random() < 0.4 else ("00:00", "00:00")
    return load(
        {},
        partitions=PARTITIONS,
        daily_cap=int(rng.integers(1, 5)),
        min_interval_s=float(rng.choice([0, 5, 1800])),
        session_gap_s=float(rng.choice([0, 2, 600])),
        quiet_from=quiet_from,
        quiet_to=quiet_to,
        quiet_jitter_s=float(rng.choice([0, 300])),
        min_score=0.0,
        min_affinity=0.0,
        breaking_bypasses=str(rng.choice(["min_interval,in_session", "daily_cap"])),
        batch_events=int(rng.choice([1, 8, 1000])),
        commit_window_events=int(rng.choice([1, 20, 1000])),
        chunk_users=64,
        vector_days=float(rng.choice([7, 0.02])),
        due_scan_s=float(rng.choice([30, 300])),
        max_poison_per_hour=1000,
    )


def _event(
    rng: np.random.Generator, searching: np.random.Generator, users: list[str], at_ms: int, pause_ms: int
) -> Arrival:
    poison = rng.random() < 0.02
    user = f"{POISON}{rng.integers(3)}" if poison else users[int(rng.integers(len(users)))]
    late_ms = int(rng.choice([0, 0, 0, 500, 3 * 3_600_000]))
    record = {
        "user_id": user,
        "article_id": f"a{_which(rng)}",
        "action": str(rng.choice(ACTIONS, p=SHARES)),
        "at_ms": at_ms - late_ms,
    }  # fmt: skip
    if record["action"] == "impression" and searching.random() < 0.5:
        record |= {"action": "search", "query": str(searching.choice(QUERIES))}
    if rng.random() < 0.15:
        record["tz"] = str(rng.choice(ZONES))
    home = _home(user)
    astray = rng.random() < ASTRAY
    partition = (home + 1) % PARTITIONS if astray else home
    return Arrival("events", partition, user.encode(), orjson.dumps(record), pause_ms, "processing_error" * poison)


def _which(rng: np.random.Generator) -> int:
    return int(rng.integers(OFTEN if rng.random() < 0.5 else ARTICLES))


def _preference(rng: np.random.Generator, users: list[str], at_ms: int) -> Arrival:
    """A patch of one or two statements, a tombstone, or what nobody can read."""
    poison = rng.random() < 0.01
    user = f"{POISON}{rng.integers(3)}" if poison else users[int(rng.integers(len(users)))]
    partition = (_home(user) + (rng.random() < ASTRAY)) % PARTITIONS
    reason = "processing_error" * poison
    if rng.random() < 0.06 and not poison:
        value, reason = ((b"{", "undecodable"), (b'{"daily_cap":"few"}', "invalid"))[int(rng.integers(2))]
        return Arrival("preferences", int(rng.integers(PARTITIONS)), user.encode(), value, 0, reason)
    if rng.random() < 0.08:
        return Arrival("preferences", partition, user.encode(), None, 0, reason)
    said = {} if rng.random() < 0.3 else {"at_ms": at_ms - int(rng.choice([0, 0, 500, 1000, 3 * 3_600_000]))}
    names = rng.choice([*STATEMENTS], int(rng.integers(1, 3)), replace=False).tolist()
    said |= {name: STATEMENTS[name][int(rng.integers(len(STATEMENTS[name])))] for name in names}
    return Arrival("preferences", partition, user.encode(), orjson.dumps(said), 0, reason)


def _erasure(rng: np.random.Generator, users: list[str], at_ms: int) -> list[Arrival]:
    """A request as `streamrec erase` writes it, with or without its tombstone; sometimes late, or to nobody."""
    poison = rng.random() < 0.03
    user = f"{POISON}{rng.integers(3)}" if poison else str(rng.choice([*users, "nobody"]))
    partition, reason = (_home(user) + (rng.random() < ASTRAY)) % PARTITIONS, "processing_error" * poison
    said = (b"{}", None, orjson.dumps({"at_ms": at_ms - int(rng.choice([0, 500, 3 * 3_600_000]))}))
    request = Arrival("erasure", partition, user.encode(), said[int(rng.integers(3))], 0, reason)
    if rng.random() < 0.5:
        return [request]
    return [Arrival("preferences", partition, user.encode(), None, 0, reason), request]


@cache
def _home(user: str) -> int:
    return partition_of(user, PARTITIONS)


def _unreadable(rng: np.random.Generator, pause_ms: int) -> Arrival:
    value, reason = [(b"{", "undecodable"), (None, "empty_value"), (b'{"user_id":"x"}', "invalid")][rng.integers(3)]
    return Arrival("events", int(rng.integers(PARTITIONS)), b"x", value, pause_ms, reason)


def _audience(rng: np.random.Generator) -> Audience | None:
    """Whom an article is for: two of three have none."""
    if rng.random() < 2 / 3:
        return None
    given = (rng.random(6) < 0.25).tolist()
    categories = tuple(map(str, rng.choice(CATEGORIES, 3, replace=False)))
    share, ramp = float(rng.choice([0.0, 0.3, 0.7])), Ramp(float(rng.choice([0.0, 0.4])), float(rng.choice([1, 30])))
    return Audience(
        everybody=True,
        languages=("en",) if given[0] else None,
        zones=("Asia/Shanghai", "UTC") if given[1] else None,
        countries=("CN",) if given[2] else None,
        categories=categories if given[3] else None,
        share=share if given[4] else None,
        ramp=ramp if given[5] else None,
    )


def _article(
    rng: np.random.Generator, addressing: np.random.Generator, at_ms: int, pause_ms: int, first_ms: dict[str, int]
) -> list[Arrival]:
    """The same version to all partitions, as the content agent writes it."""
    poison = rng.random() < 0.03
    number = _which(rng)
    article_id = f"{POISON}{number}" if poison else f"a{number}"
    status: Status = "withdrawn" if rng.random() < 0.1 else "published"
    category = str(rng.choice(CATEGORIES))
    vector = rng.normal(size=64).astype("<f4")
    audience = _audience(addressing)
    ramp_ms = round(audience.ramp.after_min * MINUTE_MS) if audience and audience.ramp else 0
    article = AnalysedArticle(
        article_id=article_id, version=int(rng.choice([0, 0, 0, 1])), status=status, title=article_id,
        category=category, category_slot=CATEGORIES.index(category), source=f"desk{number % 3}",
        language=str(rng.choice(["en", "da"])), keywords=("volcano",) * (number % 5 == 0),
        tags=("storm watch",) * (number % 3 == 0),        story_id=f"s{number // 2}", deep_link="",
        published_at_ms=at_ms, known_at_ms=at_ms, first_known_at_ms=first_ms.setdefault(article_id, at_ms),
        expires_at_ms=at_ms + 86_400_000,
        embargo_until_ms=(embargo_ms := at_ms + 3 * MINUTE_MS if rng.random() < 0.15 else 0),
        audience=audience, widens_at_ms=max(at_ms, embargo_ms) + ramp_ms if ramp_ms else 0,
        audience_slots=tuple(map(CATEGORIES.index, audience.categories or ())) if audience else (),
        breaking=int(rng.random() < 0.15), vector=(vector / np.linalg.norm(vector)).tobytes(), space_id="simulated",
        digest=zlib.crc32(f"{article_id} {status} {at_ms}".encode() + vector.tobytes()),
    )  # fmt: skip
    value = msgspec.json.encode(article)
    reason = "processing_error" * at_once(article_id)
    return [
        Arrival("catalog", number, article_id.encode(), value, pause_ms * (number == 0), reason)
        for number in range(PARTITIONS)
    ]
