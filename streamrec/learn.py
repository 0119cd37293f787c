"""Profiles after events: what a click, a dislike, an opt-out changes in the columns.

    after_events(profiles, catalog, events, policy) -> rows changed, and counts

Event time (`at_ms`) drives learning; the time an event was seen (`seen_ms`) drives policy. An event seen long after it
happened teaches, but wakes nobody. A repeated read (or the same event delivered twice) is one read. A batch gives the
same columns, to the bit, however it is split.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .catalog import Catalog, SlotArray
from .contracts.event import ACTIONS, Action, UserEvent
from .contracts.ids import key_of
from .policy.config import Policy
from .profiles import history, interest
from .profiles.layout import CONSENT_IN, CONSENT_OUT
from .profiles.store import IntArray, ProfileStore
from .profiles.zones import zone_slots

# How much of a read an action is worth. Impressions and searches teach nothing here; dwell counts from 10 s on.
WORTH: dict[Action, float] = {
    "click": 1,
    "open": 1,
    "dwell": 0.5,
    "share": 2,
    "save": 1.5,
    "dismiss": -0.25,
    "dislike": -1,
}
READING: frozenset[Action] = frozenset({"click", "open"})
REFUSING: frozenset[Action] = frozenset({"dismiss", "dislike"})
MIN_DWELL_S = 10.0

CODE = {action: code for code, action in enumerate(ACTIONS)}
_WORTH = np.array([WORTH.get(action, 0) for action in ACTIONS], np.float32)
_READING = np.array([action in READING for action in ACTIONS])
_REFUSING = np.array([action in REFUSING for action in ACTIONS])


class Events(NamedTuple):
    """Events as columns, one entry each, in order."""

    rows: IntArray
    at_ms: npt.NDArray[np.int64]
    seen_ms: npt.NDArray[np.int64]
    code: npt.NDArray[np.uint8]  # index into ACTIONS
    worth: npt.NDArray[np.float32]
    keys: npt.NDArray[np.uint32]  # article key, 0 = none
    slots: SlotArray  # -1 = unknown article

    def take(self, chosen: IntArray) -> "Events":
        """These events only."""
        return Events._make(column[chosen] for column in self)


class Learned(NamedTuple):
    """What changed."""

    rows: IntArray  # unique
    late: int
    unknown: npt.NDArray[np.uint32]  # keys of articles not known yet


def after_events(
    profiles: ProfileStore, catalog: Catalog, values: Sequence[UserEvent], seen_ms: Sequence[int], policy: Policy
) -> Learned:
    """Learn from events in their order; users not seen before get a row."""
    events = _columns(profiles, catalog, values, seen_ms)
    _remember_zones(profiles, events.rows, values)
    for chosen in interest.rounds(events.rows):
        _after_one_each(profiles, catalog, events.take(chosen), policy)
    rows = np.unique(events.rows)
    profiles.mirror_rows(rows)
    unknown = events.keys[(events.slots < 0) & (events.worth != 0)]
    return Learned(rows, int(_late(events, policy).sum()), unknown)


def after_article(profiles: ProfileStore, catalog: Catalog, slot: int, policy: Policy) -> IntArray:
    """An article became known: events that waited for it count now. Returns the rows changed."""
    rows, at_s, code = history.take_waiting(profiles, int(catalog["key"][slot]))
    if len(rows):
        at_ms = at_s.astype(np.int64) * 1000
        slots = np.full(len(rows), slot)
        waiting = Events(rows, at_ms, at_ms, code, _WORTH[code], np.zeros(len(rows), np.uint32), slots)
        for chosen in interest.rounds(rows):
            _credit(profiles, catalog, waiting.take(chosen), policy)
        profiles.mirror_rows(np.unique(rows))
    return np.unique(rows)


def _columns(profiles: ProfileStore, catalog: Catalog, values: Sequence[UserEvent], seen_ms: Sequence[int]) -> Events:
    code = np.array([CODE[event.action] for event in values], np.uint8)
    dwell = np.array([event.action != "dwell" or event.dwell_s >= MIN_DWELL_S for event in values])
    slots = [catalog.slot(event.article_id) for event in values]
    return Events(
        rows=profiles.rows_of([event.user_id for event in values], [at // 1000 for at in seen_ms]),
        at_ms=np.array([event.at_ms for event in values], np.int64),
        seen_ms=np.array(seen_ms, np.int64),
        code=code,
        worth=_WORTH[code] * dwell,
        keys=np.array([key_of(event.article_id) if event.article_id else 0 for event in values], np.uint32),
        slots=np.array([-1 if slot is None else slot for slot in slots], np.intp),
    )


def _remember_zones(profiles: ProfileStore, rows: IntArray, values: Sequence[UserEvent]) -> None:
    zoned = [i for i, event in enumerate(values) if event.tz]
    if zoned:
        zones = np.array([key_of(values[i].tz) for i in zoned], np.uint32)
        profiles.columns["zone"][rows[zoned]] = zones
        profiles.columns["zone_slot"][rows[zoned]] = zone_slots(zones)


def _late(events: Events, policy: Policy) -> npt.NDArray[np.bool_]:
    return np.asarray(events.seen_ms - events.at_ms > policy.late_event_ms)


def _after_one_each(profiles: ProfileStore, catalog: Catalog, events: Events, policy: Policy) -> None:
    reading = _READING[events.code] & (events.keys > 0)
    repeated = reading & history.has_read(profiles, events.rows, events.keys)
    _read(profiles, catalog, events.take(np.flatnonzero(reading & ~repeated)))
    counts = (events.worth != 0) & ~repeated
    _credit(profiles, catalog, events.take(np.flatnonzero(counts & (events.slots >= 0))), policy)
    _wait(profiles, events.take(np.flatnonzero(counts & (events.slots < 0))))
    _consent(profiles, events)
    _activity(profiles, events.take(np.flatnonzero(~_late(events, policy))), policy)


def _read(profiles: ProfileStore, catalog: Catalog, events: Events) -> None:
    fell_out = history.after_reading(profiles, events.rows, events.keys)
    catalog.after_reads(events.keys, 1)
    catalog.after_reads(fell_out, -1)


def _credit(profiles: ProfileStore, catalog: Catalog, events: Events, policy: Policy) -> None:
    if not len(events.rows):
        return
    category, source = catalog["category"][events.slots], catalog["source"][events.slots]
    vectors = catalog["vector"][events.slots]
    interest.after_read(
        profiles, events.rows, events.at_ms, events.worth, vectors, category, source, policy.half_life_ms
    )
    liked = events.worth > 0
    profiles.columns["language"][events.rows[liked]] = catalog["language"][events.slots[liked]]
    refused = np.flatnonzero(_REFUSING[events.code])
    if len(refused):
        until_s = (events.at_ms[refused] // 1000 + policy.cooldown_s).astype(np.uint32)
        history.after_dislike(profiles, events.rows[refused], category[refused], until_s)


def _wait(profiles: ProfileStore, events: Events) -> None:
    if len(events.rows):
        at_s = (events.at_ms // 1000).astype(np.uint32)
        history.after_unknown(profiles, events.rows, events.keys, at_s, events.code)


def _consent(profiles: ProfileStore, events: Events) -> None:
    consent = profiles.columns["consent"]
    consent[events.rows[events.code == CODE["subscribe"]]] = CONSENT_IN
    consent[events.rows[events.code == CODE["unsubscribe"]]] = CONSENT_OUT


def _activity(profiles: ProfileStore, events: Events, policy: Policy) -> None:
    columns, rows = profiles.columns, events.rows
    active_ms = np.maximum(columns["active_ms"][rows], events.seen_ms)
    columns["active_ms"][rows] = active_ms
    columns["last_active_s"][rows] = active_ms // 1000
    columns["due_at_s"][rows] = active_ms // 1000 + policy.session_gap_s
