"""A reader's row in words a person can read."""

import msgspec
import numpy as np

from ..contracts.ids import SHARED_CATEGORY
from ..contracts.preferences import Value
from ..engine.policy.gates.daily_cap import DAY_S
from ..engine.profiles.interest import decay
from ..engine.profiles.layout import CONSENT_IN, CONSENT_OUT, NO_CAP, NO_OVERRIDE, READ
from ..engine.profiles.zones import zone_name
from ..partition.partition import Partition
from .world import policy_of

CONSENT = {CONSENT_IN: "in", CONSENT_OUT: "out"}
TOP = 5


class Profile(msgspec.Struct, frozen=True):
    """What is known of a reader; times in ms since 1970, 0 = never."""

    reads: int
    pushes: int
    pushes_today: int
    first_seen_ms: int
    last_active_ms: int
    last_push_ms: int
    due_ms: int
    consent: str  # in, out or unknown
    zone: str
    language: str  # of the latest read
    daily_cap: int | None  # the reader's own; None: as the settings say
    quiet_hours: str  # the reader's own, HH:MM-HH:MM; "": as the settings say
    muted: list[str]
    resting: list[str]  # categories in cooldown
    interests: dict[str, float]  # decayed reads by category, the strongest first
    recent: list[str]  # articles of the catalog that were read
    said: dict[str, Value]  # preferences that hold, by name


def profile_of(partition: Partition, row: int, now_ms: int) -> Profile:
    """The row's fields, valued now."""
    columns, catalog, policy = partition.profiles.columns, partition.catalog, policy_of(partition)
    value = {name: column[row] for name, column in columns.items()}
    names, now_s = _category_names(partition), now_ms // 1000
    worth = float(decay(np.array([max(now_ms - int(value["interest_at_ms"]), 0)]), policy.half_life_ms)[0])
    reads = {slot: float(read) * worth for slot, read in enumerate(value["category_affinity"]) if read > 0}
    strongest = sorted(reads, key=lambda slot: -reads[slot])[:TOP]
    resting = value["negatives"]["category"][value["negatives"]["until_s"] > now_s]
    read_slots = catalog.slots_of(value["seen"][(value["seen_acts"] & READ) > 0])
    read = [article for slot in read_slots.tolist() if slot >= 0 and (article := catalog.articles[slot])]
    said = partition.profiles.preferences.said(int(value["side"]))
    return Profile(
        reads=int(value["n_reads"]),
        pushes=int(value["n_pushes"]),
        pushes_today=int((value["pushed_at_s"] > max(now_s - DAY_S, 0)).sum()),
        first_seen_ms=int(value["first_seen_s"]) * 1000,
        last_active_ms=int(value["active_ms"]),
        last_push_ms=int(value["pushed_at_s"].max()) * 1000,
        due_ms=int(value["due_at_s"]) * 1000,
        consent=CONSENT.get(int(value["consent"]), "unknown"),
        zone=zone_name(int(value["zone_slot"]), policy.default_zone),
        language=bytes(value["language"]).decode(),
        daily_cap=None if value["daily_cap"] == NO_CAP else int(value["daily_cap"]),
        quiet_hours=_window(int(value["quiet_from_min"]), int(value["quiet_to_min"])),
        muted=[names[slot] for slot in range(len(names)) if int(value["muted"]) >> slot & 1],
        resting=[names[slot] for slot in resting.tolist()],
        interests={names[slot]: round(reads[slot], 2) for slot in strongest},
        said={name: each.value for name, each in said.statements.items() if each.value is not None},
        recent=[article.article_id for article in sorted(read, key=lambda each: -each.published_at_ms)],
    )


def _category_names(partition: Partition) -> list[str]:
    """Names of the category slots, as far as articles of the catalog say them."""
    names = [f"category {slot}" for slot in range(SHARED_CATEGORY)] + ["other categories"]
    for article in partition.catalog.articles:
        if article is not None and article.category_slot < SHARED_CATEGORY and article.category:
            names[article.category_slot] = article.category
    return names


def _window(start: int, end: int) -> str:
    if NO_OVERRIDE in (start, end):
        return ""
    return f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02}"
