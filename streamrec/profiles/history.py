"""What a user has read, is waiting for, dislikes, and was pushed: rings in the row.

A ring of size n holds the last n entries; entry k lies at k % n. Every function takes rows that are unique.
"""

import numpy as np
import numpy.typing as npt

from .layout import PUSHES, READS
from .store import IntArray, ProfileStore

KeyArray = npt.NDArray[np.uint32]
BoolArray = npt.NDArray[np.bool_]


def has_read(store: ProfileStore, rows: IntArray, articles: KeyArray) -> BoolArray:
    """(N,) True where the article stands in the ring of recent reads."""
    return np.asarray((store.columns["reads"][rows] == articles[:, None]).any(axis=1))


def after_reading(store: ProfileStore, rows: IntArray, articles: KeyArray) -> KeyArray:
    """Put an article each into the ring of reads; returns what fell out, (N,), 0 = nothing."""
    columns = store.columns
    place = columns["n_reads"][rows] % READS
    fell_out: KeyArray = columns["reads"][rows, place]
    columns["reads"][rows, place] = articles
    columns["n_reads"][rows] += 1
    return fell_out


def after_unknown(
    store: ProfileStore, rows: IntArray, articles: KeyArray, at_s: KeyArray, action: npt.NDArray[np.uint8]
) -> None:
    """An event on an article not yet known waits in the row; the oldest of four gives way."""
    waiting = store.columns["waiting"]
    place = waiting["at_s"][rows].argmin(axis=1)
    waiting["article"][rows, place] = articles
    waiting["at_s"][rows, place] = at_s
    waiting["action"][rows, place] = action


def take_waiting(store: ProfileStore, article: int) -> tuple[IntArray, KeyArray, npt.NDArray[np.uint8]]:
    """Events that waited for this article: rows, at_s and action, each (N,); their slots are freed."""
    waiting = store["waiting"]
    rows, places = np.nonzero(waiting["article"] == article)
    at_s, action = waiting["at_s"][rows, places], waiting["action"][rows, places]
    waiting["article"][rows, places] = 0
    waiting["at_s"][rows, places] = 0
    return rows, at_s, action


def after_dislike(
    store: ProfileStore, rows: IntArray, category: npt.NDArray[np.uint8], until_s: npt.NDArray[np.uint32]
) -> None:
    """A category cools down until `until_s`; the entry that ends first gives way, a longer one is kept."""
    negatives = store.columns["negatives"]
    same = (negatives["category"][rows] == category[:, None]) & (negatives["until_s"][rows] > 0)
    place = np.where(same.any(axis=1), same.argmax(axis=1), negatives["until_s"][rows].argmin(axis=1))
    known_until = np.where(same.any(axis=1), negatives["until_s"][rows, place], 0)
    negatives["category"][rows, place] = category
    negatives["until_s"][rows, place] = np.maximum(known_until, until_s)


def after_push(store: ProfileStore, rows: IntArray, articles: KeyArray, stories: KeyArray, now_s: int) -> None:
    """One push each: into the ring, so that cap, interval and dedupe see it from now on."""
    columns = store.columns
    place = columns["n_pushes"][rows] % PUSHES
    pushed = columns["pushed"]
    pushed["article"][rows, place] = articles
    pushed["story"][rows, place] = stories
    pushed["at_s"][rows, place] = now_s
    columns["n_pushes"][rows] += 1
