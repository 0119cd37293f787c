"""Waves: what an editor took back or corrected goes to everybody who got the push, a chunk of readers at a time.

    retract   to each reader who was pushed the article, in whatever version
    correct   to each reader who was pushed an earlier version than the newest one, and has not opted out since

Who got it stands in the row: the article by name, or, where the row has let go of the name, its story among the last 8
pushes, if no other article of that story is known, nor has one left that could be pushed then. Of the others nothing
certain can be said: they are counted (`unsure`), and get nothing, for the story's other push would be taken off their
screen.

A reader who was pushed the article in the very second in which a newer version became known gets the correction, too:
a row's times are seconds.

Readers are served in the order of the CRC-32 of their id, `salt`, all of one salt together. So one number says in the
log how far a wave is, wherever rows lie after a crash; it is written with the chunk's records, in one transaction.
"""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

import msgspec
import numpy as np
import orjson

from ..arrays import BoolArray, IndexArray, UIntArray
from ..contracts.ids import key_of
from ..contracts.push import NO_MODEL, Envelope, encoded
from ..engine.catalog import Catalog
from ..engine.profiles.layout import CONSENT_OUT, PUSHED
from ..engine.profiles.store import ProfileStore
from .changes import Changes, PushRecord

WaveKind = Literal["retract", "correct"]
MayCorrect = Callable[[str], bool]  # whether the newest version of this article may leave now
SCANNED = 65_536  # rows looked at before other work gets a turn


class Wave(msgspec.Struct, frozen=True):
    """One retraction or correction on its way, as the log holds it."""

    kind: WaveKind
    article_id: str
    command_id: str
    at_ms: int  # when it was said
    before_s: int = 0  # correct: whoever got a push at or before this second got an earlier version
    after: int = -1  # readers up to this salt have it


class _Served(NamedTuple):
    rows: IndexArray
    salts: UIntArray  # ascending


class Waves:
    """Retractions and corrections that have yet to reach everybody: the former first, otherwise in order of arrival."""

    def __init__(self) -> None:
        self._waves: dict[tuple[WaveKind, str], Wave] = {}
        self._changed: dict[tuple[WaveKind, str], None] = {}
        self._steps: Iterator[Changes] | None = None
        self._of: tuple[WaveKind, str] | None = None  # which wave these steps are of

    def __bool__(self) -> bool:
        return bool(self._waves)

    def __iter__(self) -> Iterator[Wave]:
        return iter(self._waves.values())

    def is_on(self, kind: WaveKind, article_id: str) -> bool:
        """Whether this wave has yet to reach somebody."""
        return (kind, article_id) in self._waves

    def start(self, wave: Wave) -> None:
        """Begin a wave, anew if the same was on its way."""
        place = wave.kind, wave.article_id
        self._put(place, wave)
        if self._of == place:
            self._of = None

    def drop(self, kind: WaveKind, article_id: str) -> None:
        """Let nobody more have it."""
        if self._waves.pop((kind, article_id), None) is not None:
            self._changed[kind, article_id] = None

    def step(
        self, profiles: ProfileStore, catalog: Catalog, now_ms: int, ttl_ms: int, chunk: int, may_correct: MayCorrect
    ) -> Changes | None:
        """The next readers get their record; None: there is nothing to do now. Retractions go first, and always."""
        place = self._next(may_correct)
        if place is None:
            return None
        if place != self._of or self._steps is None:
            self._of, self._steps = place, self._serve(place, profiles, catalog, now_ms, ttl_ms, chunk)
        changes = next(self._steps, None)
        if changes is None:
            self._of = self._steps = None
            self.drop(*place)
            return Changes()
        return changes

    def take_changed(self) -> list[tuple[tuple[WaveKind, str], Wave | None]]:
        """What has changed since this was last asked; None: it is over."""
        changed = [(place, self._waves.get(place)) for place in self._changed]
        self._changed.clear()
        return changed

    def restore(self, kind: WaveKind, article_id: str, wave: Wave | None) -> None:
        """Go on with a wave from the log; None: it is over."""
        if wave is None:
            self._waves.pop((kind, article_id), None)
        else:
            self._waves[kind, article_id] = wave

    def _put(self, place: tuple[WaveKind, str], wave: Wave) -> None:
        self._waves[place] = wave
        self._changed[place] = None

    def _next(self, may_correct: MayCorrect) -> tuple[WaveKind, str] | None:
        first = next((place for place in self._waves if place[0] == "retract"), None)
        return first or next((place for place in self._waves if may_correct(place[1])), None)

    def _serve(
        self,
        place: tuple[WaveKind, str],
        profiles: ProfileStore,
        catalog: Catalog,
        now_ms: int,
        ttl_ms: int,
        chunk: int,
    ) -> Iterator[Changes]:
        wave, slot = self._waves[place], catalog.slot(place[1])
        article = None if slot is None else catalog.articles[slot]
        if slot is None or article is None:
            return  # it left the catalog: what was pushed of it has long expired
        found: list[IndexArray] = []
        for start in range(0, len(profiles), SCANNED):
            got, unsure = _who_got(profiles, catalog, slot, start, wave)
            found.append(got)
            yield Changes(unsure=unsure if wave.after < 0 else 0)
        served = _in_order(profiles, found, wave.after)
        start = 0
        while start < len(served.rows):
            stop = _end_of(served.salts, start, chunk)
            rows, salts = served.rows[start:stop], served.salts[start:stop]
            rows = rows[profiles.columns["salt"][rows] == salts]  # whoever left meanwhile has another's row, or none
            if wave.kind == "correct":
                rows = rows[profiles.columns["consent"][rows] != CONSENT_OUT]
            newest = catalog.articles[slot]
            if newest is None or newest.article_id != wave.article_id:
                return
            self._put(place, msgspec.structs.replace(wave, after=int(salts[-1])))
            envelope = Envelope(newest, NO_MODEL, "command", now_ms, ttl_ms, wave.kind, wave.command_id)
            yield Changes(pushes=_records([profiles.users[row] for row in rows.tolist()], envelope, wave))
            start = stop


def _records(user_ids: list[str], envelope: Envelope, wave: Wave) -> list[PushRecord]:
    reason = orjson.dumps({"code": "command", "args": {"category": envelope.article.category}})
    priority, n = "breaking" if envelope.article.breaking else "normal", len(user_ids)
    values = encoded([envelope] * n, user_ids, [0.0] * n, [reason] * n, [wave.at_ms] * n)
    return [
        PushRecord(user_id, value, "command", priority, wave.at_ms, wave.kind)
        for user_id, value in zip(user_ids, values, strict=True)
    ]


def _in_order(profiles: ProfileStore, found: list[IndexArray], after: int) -> _Served:
    rows = np.concatenate([*found, np.empty(0, np.intp)]).astype(np.intp)
    salts = profiles.columns["salt"][rows]
    order = np.lexsort((rows, salts))
    rows, salts = rows[order], salts[order]
    start = int(np.searchsorted(salts, after, side="right")) if after >= 0 else 0
    return _Served(rows[start:], salts[start:])


def _end_of(salts: UIntArray, start: int, chunk: int) -> int:
    """Where a chunk ends: with the last of a salt."""
    stop = min(start + chunk, len(salts))
    return int(np.searchsorted(salts, salts[stop - 1], side="right"))


def _who_got(profiles: ProfileStore, catalog: Catalog, slot: int, start: int, wave: Wave) -> tuple[IndexArray, int]:
    """Rows of [start, start + SCANNED) whose reader is to get the record; and how many may have got the article."""
    columns = {
        name: profiles[name][start : start + SCANNED]
        for name in ("seen", "seen_acts", "pushed_at_s", "pushed_story", "floor_s")
    }
    story, key = catalog["story"][slot], key_of(wave.article_id)
    pushed = (columns["seen_acts"] & PUSHED) > 0
    named = ((columns["seen"] == key) & pushed).any(axis=1)
    told = columns["pushed_story"] == story  # (N, 8)
    mates = _others_of_story(catalog, slot)
    by_story = told.any(axis=1) & ~named
    at_s = np.where(told, columns["pushed_at_s"], 0).max(axis=1).astype(np.int64)
    sure = by_story & (at_s * 1000 > catalog.left_expired_ms) & (not len(mates))
    known_s = catalog["first_known_s"][slot]
    may_be_older = (columns["pushed_at_s"] > known_s).all(axis=1) & (columns["floor_s"] >= known_s)
    mate_named = (np.isin(columns["seen"], mates) & pushed).any(axis=1)
    unsure = ~named & ~sure & ((by_story & ~mate_named) | may_be_older)
    got = named | sure
    if wave.kind == "correct":
        got &= _earlier(told, columns["pushed_at_s"], wave.before_s)
    return start + np.flatnonzero(got), int(unsure.sum())


def _earlier(told: BoolArray, pushed_at_s: UIntArray, before_s: int) -> BoolArray:
    """Whether the push was made at or before this second, (N,); True where the row cannot tell any more."""
    at_s = np.where(told, pushed_at_s, 0).max(axis=1)
    return np.asarray(at_s <= before_s)


def _others_of_story(catalog: Catalog, slot: int) -> UIntArray:
    """Keys of the other known articles of the story."""
    same = catalog["live"] & (catalog["story"] == catalog["story"][slot])
    same[slot] = False
    keys: UIntArray = catalog["key"][same]
    return keys
