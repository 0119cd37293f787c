"""What a user has read, was pushed, acted on, waits for and dislikes: columns of the row. Rows given are unique.

Seen     The row remembers 18 articles by key, with what happened to each: read, pushed, shared, ... When another one
         comes, the article that became known first leaves, and the row's floor rises to the time it did: every
         article known since then or longer counts as seen. So what was read or pushed is never pushed (again), however
         many articles there are and whatever their updates say of expiry or publication; the price is that somebody
         who reads much is not offered what is older than the floor. An article the catalog no longer holds leaves
         first: the floor rises to where the catalog's memory ends, which costs nobody anything. While an article that
         was set aside as poison stands in the log, that is when it became known: it may have been pushed before.
Bounds   A read of an article not yet known holds among the four last ones of these. An event counts once an article
         and action (a share delivered twice, or sent twice, is one share) while the article is among the 18.
         A story counts as told for the last 8 pushes.
"""

from typing import NamedTuple

import numpy as np

from ...arrays import BoolArray, ByteArray, IndexArray, UIntArray
from ..catalog import Catalog
from .layout import PUSHED, PUSHES, READ
from .store import ProfileStore, Rows

NO_KEYS: UIntArray = np.empty(0, np.uint32)
LAST = np.uint32(2**32 - 1)
LEARNED = (
    "interest", "interest_at_ms", "category_affinity", "source_affinity", "negatives", "waiting", "searched",
    "searched_at_s", "n_reads", "language", "mirror", "scale",
)  # fmt: skip


class Acted(NamedTuple):
    """What recording N acts on articles has shown: repetitions, and articles that rows had to forget for them."""

    repeated: BoolArray  # (N,) it was done before
    left: UIntArray  # articles that were read and are not remembered by key any more


def has_read(store: ProfileStore, rows: IndexArray, articles: UIntArray) -> BoolArray:
    """(N,) True where the user read the article, and the row remembers it by key."""
    return _has(store, rows, articles, READ)


def was_pushed(store: ProfileStore, rows: IndexArray, articles: UIntArray) -> BoolArray:
    """(N,) True where the user was pushed the article, and the row remembers it by key."""
    return _has(store, rows, articles, PUSHED)


def _has(store: ProfileStore, rows: IndexArray, articles: UIntArray, act: int) -> BoolArray:
    columns = store.columns
    did = (columns["seen_acts"][rows] & act) > 0
    return np.asarray((did & (columns["seen"][rows] == articles[:, None])).any(axis=1))


def reads_of(store: ProfileStore, rows: Rows) -> UIntArray:
    """Articles these users read, as far as rows remember them by key: each as often as there are readers."""
    read = (store.columns["seen_acts"][rows] & READ) > 0
    keys: UIntArray = store.columns["seen"][rows][read]
    return keys


def after_acts(
    store: ProfileStore, rows: IndexArray, articles: UIntArray, acts: ByteArray, known: Catalog, now_s: UIntArray
) -> Acted:
    """Each user did something (a bit of `seen_acts`) with an article, whose key is not 0."""
    seen, every = store.columns["seen"][rows], np.arange(len(rows))  # (N, S)
    place = (seen == articles[:, None]).argmax(axis=1)
    new = np.flatnonzero(seen[every, place] != articles)
    left = NO_KEYS
    if len(new):
        place[new], left = _room(store, rows[new], seen[new], known, now_s[new])
        store.columns["seen"][rows[new], place[new]] = articles[new]
        store.columns["seen_acts"][rows[new], place[new]] = 0
    before = store.columns["seen_acts"][rows, place]
    store.columns["seen_acts"][rows, place] = before | acts
    return Acted((before & acts) > 0, left)


def _room(
    store: ProfileStore, rows: IndexArray, seen: UIntArray, known: Catalog, now_s: UIntArray
) -> tuple[IndexArray, UIntArray]:
    """A place for one more article each, and the articles read that had to leave."""
    place = (seen == 0).argmax(axis=1)
    full = np.flatnonzero(seen[np.arange(len(rows)), place])
    if not len(full):
        return place, NO_KEYS
    rows, keys, every = rows[full], seen[full], np.arange(len(full))
    first_s = known.first_known_s(keys)
    acts = store.columns["seen_acts"][rows]
    history = (acts & (READ | PUSHED)) > 0
    leaves = first_s * history  # what was neither read nor pushed goes first: nothing depends on it
    lost = np.flatnonzero((first_s == 0).any(axis=1))
    if len(lost):
        leaves[lost] = np.where(_waits(store, rows[lost], keys[lost]), LAST, leaves[lost])
    place[full] = leaving = leaves.argmin(axis=1)
    floor_s = np.where(first_s[every, leaving], first_s[every, leaving], known.forgotten_s(now_s[full]))
    floor_s = np.where(history[every, leaving], floor_s, 0).astype(np.uint32)
    store.columns["floor_s"][rows] = np.maximum(store.columns["floor_s"][rows], floor_s)
    read = (acts[every, leaving] & READ) > 0
    return place, keys[every, leaving][read]


def _waits(store: ProfileStore, rows: IndexArray, keys: UIntArray) -> BoolArray:
    waiting = store.columns["waiting"]["article"][rows]  # (N, W)
    return np.asarray((keys[:, :, None] == waiting[:, None, :]).any(axis=2))


def after_unknown(
    store: ProfileStore, rows: IndexArray, articles: UIntArray, at_s: UIntArray, action: ByteArray
) -> None:
    """An event on an article not yet known waits in the row; the oldest of five gives way."""
    waiting = store.columns["waiting"]
    place = waiting["at_s"][rows].argmin(axis=1)
    newer = np.flatnonzero(at_s >= waiting["at_s"][rows, place])
    rows, place = rows[newer], place[newer]
    waiting["article"][rows, place] = articles[newer]
    waiting["at_s"][rows, place] = at_s[newer]
    waiting["action"][rows, place] = action[newer]


def take_waiting(store: ProfileStore, article: int) -> tuple[IndexArray, UIntArray, ByteArray]:
    """Events that waited for this article: rows, at_s and action, each (N,); their slots are freed."""
    waiting = store["waiting"]
    rows, places = np.nonzero(waiting["article"] == article)
    at_s, action = waiting["at_s"][rows, places], waiting["action"][rows, places]
    waiting["article"][rows, places] = 0
    waiting["at_s"][rows, places] = 0
    return rows, at_s, action


def after_dislike(store: ProfileStore, rows: IndexArray, category: ByteArray, until_s: UIntArray) -> None:
    """A category cools down until `until_s`; of five the one that ends first gives way, and none gets shorter."""
    negatives = store.columns["negatives"]
    same = (negatives["category"][rows] == category[:, None]) & (negatives["until_s"][rows] > 0)
    place = np.where(same.any(axis=1), same.argmax(axis=1), negatives["until_s"][rows].argmin(axis=1))
    longer = np.flatnonzero(until_s > negatives["until_s"][rows, place])
    negatives["category"][rows[longer], place[longer]] = category[longer]
    negatives["until_s"][rows[longer], place[longer]] = until_s[longer]


def after_push(
    store: ProfileStore, rows: IndexArray, articles: UIntArray, stories: UIntArray, now_s: int, known: Catalog
) -> UIntArray:
    """One push each, so that cap, interval and dedupe see it from now on; answers with what `Acted.left` says."""
    columns = store.columns
    place = columns["n_pushes"][rows] % PUSHES
    columns["pushed_at_s"][rows, place] = now_s
    columns["pushed_story"][rows, place] = stories
    columns["n_pushes"][rows] += 1
    pushed = np.full(len(rows), PUSHED, np.uint8)
    return after_acts(store, rows, articles, pushed, known, np.full(len(rows), now_s, np.uint32)).left


def forget_learned(store: ProfileStore, rows: IndexArray) -> UIntArray:
    """Empty all of these rows that was learned from what users did, but for what they were pushed.

    Answers with the articles they had read, each as often as there are readers.
    """
    left = reads_of(store, rows)
    pushed = store.columns["seen_acts"][rows] & PUSHED
    store.columns["seen_acts"][rows] = pushed
    store.columns["seen"][rows] = np.where(pushed > 0, store.columns["seen"][rows], np.uint32(0))
    for name in LEARNED:
        store.columns[name][rows] = np.zeros((), store.columns[name].dtype)
    return left
