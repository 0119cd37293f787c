"""Profiles after events: what a click, a dislike, an opt-out changes in the columns.

    after_events(profiles, catalog, events, ...) -> rows changed, and counts

A search teaches by its query: `understand` makes a vector of it, in the space of the articles (content/query.py), which
counts as that of a read does, for less, and with no category or source. Searches are no reads.

Event time (`at_ms`) drives learning; the time an event was seen (`seen_ms`) drives policy. An event seen long after it
happened teaches, but wakes nobody. Each action counts once an article (history.py says within which bounds), so a
repeated read, or the same event delivered twice, is one. Of two statements on one thing (consent, zone, language) the
later by its own time holds, in whatever order they arrive; of two at the same time the opt-out. What is a search done
again says engine/profiles/searches.py. A batch gives the same
columns, to the bit, however it is split.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from ..arrays import AnyArray, ByteArray, FloatArray, IndexArray, IntArray, UIntArray
from ..content.query import Query, Understand, teaches_nothing
from ..contracts.event import CODE, KINDS, Kind, UserEvent
from ..contracts.ids import SHARED_CATEGORY, key_of
from .catalog import Catalog
from .policy.config import Policy
from .profiles import history, interest, searches
from .profiles.layout import CONSENT_IN, CONSENT_OUT, PUSHED, READ
from .profiles.store import ProfileStore

MIN_DWELL_S = 10.0  # a shorter look teaches nothing


def _of_code(meaning: Callable[[Kind], float], dtype: type) -> AnyArray:
    table: AnyArray = np.zeros(max(CODE.values()) + 1, dtype)
    for kind in KINDS.values():
        table[kind.ordinal] = meaning(kind)
    return table


# what else teaches about an article: bits 4, 8, ... in the order of ordinals, which never change
_BIT = {
    ordinal: 1 << bit
    for bit, ordinal in enumerate(
        sorted(kind.ordinal for kind in KINDS.values() if kind.worth and kind.needs_article and not kind.reading), 2
    )
}
assert READ | PUSHED | sum(_BIT.values()) < 256, "seen_acts has a byte: no room for another action that teaches"
_WORTH = _of_code(lambda kind: kind.worth, np.float32)
_READING = _of_code(lambda kind: kind.reading, np.bool_)
_REFUSING = _of_code(lambda kind: kind.refusing, np.bool_)
_ACT = _of_code(lambda kind: READ if kind.reading else _BIT.get(kind.ordinal, 0), np.uint8)  # of `seen_acts`
_BY_QUERY = _of_code(lambda kind: kind.by_query, np.bool_)
_CONSENT = _of_code(lambda kind: {"in": CONSENT_IN, "out": CONSENT_OUT, None: 0}[kind.consent], np.uint8)


class Events(NamedTuple):
    """Events as columns, one entry each, in order."""

    rows: IndexArray
    at_ms: IntArray
    seen_ms: IntArray
    code: ByteArray  # the action's ordinal
    worth: FloatArray  # for the article
    keys: UIntArray  # article key, 0 = none
    slots: IndexArray  # -1 = unknown article
    query: IndexArray  # which of the queries it says, -1 = none

    def take(self, chosen: IndexArray) -> "Events":
        """The events at these indices only; each is named at most once, ascending."""
        return self if len(chosen) == len(self.rows) else Events._make(column[chosen] for column in self)


class Learned(NamedTuple):
    """What a batch of events has changed: the rows, and what could not be learned yet or came too late."""

    rows: IndexArray  # unique
    late: int
    unknown: UIntArray  # keys of articles not known yet


def after_events(
    profiles: ProfileStore,
    catalog: Catalog,
    values: Sequence[UserEvent],
    seen_ms: Sequence[int],
    policy: Policy,
    understand: Understand = teaches_nothing,
) -> Learned:
    """Learn from events in their order; users not seen before get a row."""
    queries: list[Query] = []
    events = _columns(profiles, catalog, values, seen_ms, understand, queries)
    _remember_zones(profiles, events, values)
    entered, left = zip(
        *(
            _after_one_each(profiles, catalog, events.take(chosen), queries, policy)
            for chosen in interest.rounds(events.rows)
        ),
        strict=True,
    )
    catalog.after_reads(np.concatenate(entered), 1)
    catalog.after_reads(np.concatenate(left), -1)
    _consent(profiles, events)
    in_time = np.flatnonzero(events.seen_ms - events.at_ms <= policy.late_event_ms)
    _activity(profiles, events.take(in_time), policy)
    rows = np.unique(events.rows)
    profiles.mirror_rows(rows)
    unknown = events.keys[(events.slots < 0) & (events.worth != 0)]
    return Learned(rows, len(events.rows) - len(in_time), unknown)


def after_article(profiles: ProfileStore, catalog: Catalog, slot: int, policy: Policy) -> IndexArray:
    """An article became known: events that waited for it count now. Returns the rows changed."""
    rows, at_s, code = history.take_waiting(profiles, int(catalog["key"][slot]))
    if len(rows):
        at_ms = at_s.astype(np.int64) * 1000
        slots, none = np.full(len(rows), slot), np.full(len(rows), -1)
        waiting = Events(rows, at_ms, at_ms, code, _WORTH[code], np.zeros(len(rows), np.uint32), slots, none)
        for chosen in interest.rounds(rows):
            some = waiting.take(chosen)
            _credit(profiles, catalog, some, policy)
            _refuse(profiles, catalog, some.take(np.flatnonzero(_REFUSING[some.code])), policy)
        profiles.mirror_rows(np.unique(rows))
    return np.unique(rows)


def _columns(
    profiles: ProfileStore,
    catalog: Catalog,
    values: Sequence[UserEvent],
    seen_ms: Sequence[int],
    understand: Understand,
    queries: list[Query],  # those of these events are put there
) -> Events:
    code = np.array([CODE[event.action] for event in values], np.uint8)
    worth = _WORTH[code]
    for i in np.flatnonzero(code == CODE["dwell"]).tolist():
        if values[i].dwell_s < MIN_DWELL_S:
            worth[i] = 0
    query = np.full(len(values), -1)
    for i in np.flatnonzero(_BY_QUERY[code]).tolist():
        worth[i] = 0
        if (understood := understand(values[i].query)) is not None:
            query[i] = len(queries)
            queries.append(understood)
    slots = catalog.slots_of_ids([event.article_id for event in values])
    keys = np.zeros(len(values), np.uint32)
    known = slots >= 0
    keys[known] = catalog["key"][slots[known]]
    for i in np.flatnonzero(~known).tolist():
        keys[i] = key_of(values[i].article_id) if values[i].article_id else 0
    seen = np.array(seen_ms, np.int64)
    return Events(
        rows=profiles.rows_of([event.user_id for event in values], seen // 1000),
        at_ms=np.array([event.at_ms for event in values], np.int64),
        seen_ms=seen,
        code=code,
        worth=worth,
        keys=keys,
        slots=slots,
        query=query,
    )


def _remember_zones(profiles: ProfileStore, events: Events, values: Sequence[UserEvent]) -> None:
    zoned = np.array([i for i, event in enumerate(values) if event.tz], np.intp)
    if not len(zoned):
        return
    at_s = (events.at_ms[zoned] // 1000).astype(np.uint32)
    latest = _latest(events.rows[zoned], at_s, np.arange(len(zoned)))
    rows, at_s, zoned = events.rows[zoned[latest]], at_s[latest], zoned[latest]
    newer = np.flatnonzero(at_s >= profiles.columns["zone_at_s"][rows])
    if len(newer):
        zones = np.array([key_of(values[i].tz) for i in zoned[newer].tolist()], np.uint32)
        profiles.columns["zone"][rows[newer]] = zones
        profiles.derive_zones(rows[newer])
        profiles.columns["zone_at_s"][rows[newer]] = at_s[newer]


def _latest(rows: IndexArray, at: AnyArray, rank: AnyArray) -> IndexArray:
    """Position of the latest statement of each row; of several at one time the one that ranks highest."""
    order = np.lexsort((rank, at, rows))
    last = np.ones(len(rows), np.bool_)
    last[:-1] = rows[order][1:] != rows[order][:-1]
    return order[last]


def _after_one_each(
    profiles: ProfileStore, catalog: Catalog, events: Events, queries: Sequence[Query], policy: Policy
) -> tuple[UIntArray, UIntArray]:
    """One event of each of some users; answers with the articles that entered and left what is remembered as read."""
    acting = np.flatnonzero((events.worth != 0) & (events.keys > 0) & (_ACT[events.code] > 0))
    acts = events.take(acting)
    acted = history.after_acts(
        profiles, acts.rows, acts.keys, _ACT[acts.code], catalog, (acts.seen_ms // 1000).astype(np.uint32)
    )
    repeated = np.zeros(len(events.rows), np.bool_)
    repeated[acting] = acted.repeated
    read = _READING[events.code] & (events.keys > 0) & ~repeated
    profiles.columns["n_reads"][events.rows[read]] += 1
    counts = (events.worth != 0) & ~repeated
    _credit(profiles, catalog, events.take(np.flatnonzero(counts & (events.slots >= 0))), policy)
    _refuse(profiles, catalog, events.take(np.flatnonzero(_REFUSING[events.code] & (events.slots >= 0))), policy)
    _wait(profiles, events.take(np.flatnonzero(counts & (events.slots < 0))))
    _search(profiles, events.take(np.flatnonzero(events.query >= 0)), queries, policy)
    return events.keys[read], acted.left


def _credit(profiles: ProfileStore, catalog: Catalog, events: Events, policy: Policy) -> None:
    if not len(events.rows):
        return
    category, source = catalog["category"][events.slots], catalog["source"][events.slots]
    vectors = catalog["vector"][events.slots]
    interest.after_read(
        profiles, events.rows, events.at_ms, events.worth, vectors, category, source, policy.half_life_ms
    )
    liked = (events.worth > 0) & (events.at_ms >= profiles.columns["interest_at_ms"][events.rows])
    profiles.columns["language"][events.rows[liked]] = catalog["language"][events.slots[liked]]


def _search(profiles: ProfileStore, events: Events, queries: Sequence[Query], policy: Policy) -> None:
    if not len(events.rows):
        return
    said = [queries[which] for which in events.query.tolist()]
    words = np.array([query.words for query in said], np.uint32)  # (N, 4)
    new = np.flatnonzero(~searches.after_search(profiles, events.rows, words, events.at_ms // 1000))
    if len(new):
        vectors, some = np.stack([said[i].vector for i in new.tolist()]), events.take(new)
        worth = _WORTH[some.code]
        interest.after_read(profiles, some.rows, some.at_ms, worth, vectors, None, None, policy.half_life_ms)


def _refuse(profiles: ProfileStore, catalog: Catalog, events: Events, policy: Policy) -> None:
    category = catalog["category"][events.slots]
    own = np.flatnonzero(category != SHARED_CATEGORY)
    if len(own):
        until_s = (events.at_ms[own] // 1000 + policy.cooldown_s).astype(np.uint32)
        history.after_dislike(profiles, events.rows[own], category[own], until_s)


def _wait(profiles: ProfileStore, events: Events) -> None:
    if len(events.rows):
        at_s = (events.at_ms // 1000).astype(np.uint32)
        history.after_unknown(profiles, events.rows, events.keys, at_s, events.code)


def _consent(profiles: ProfileStore, events: Events) -> None:
    said = events.take(np.flatnonzero(_CONSENT[events.code]))
    if not len(said.rows):
        return
    out = _CONSENT[said.code] == CONSENT_OUT
    latest = _latest(said.rows, said.at_ms, out)
    rows, at_ms, out = said.rows[latest], said.at_ms[latest], out[latest]
    before_ms = profiles.columns["consent_at_ms"][rows]
    holds = (at_ms > before_ms) | (at_ms == before_ms) & out
    profiles.columns["consent"][rows[holds]] = np.where(out[holds], CONSENT_OUT, CONSENT_IN)
    profiles.columns["consent_at_ms"][rows[holds]] = at_ms[holds]


def _activity(profiles: ProfileStore, events: Events, policy: Policy) -> None:
    columns, rows = profiles.columns, events.rows
    np.maximum.at(columns["active_ms"], rows, events.seen_ms)
    active_ms = columns["active_ms"][rows]
    columns["last_active_s"][rows] = active_ms // 1000
    columns["due_at_s"][rows] = active_ms // 1000 + policy.session_gap_s
