"""The latest search of a user: its words as CRC-32, and when. Rows given are unique.

Of two searches the later by its own time is remembered, in whatever order they arrive; of two at the same second the
one whose words rank higher. The words name the reason of a push (partition/push_records.py); what was searched for in
other words is in the interest vector only.

Bounds   A search for the same words within ten minutes of the one remembered, before or after, is that search again: an
         event delivered twice, a page turned, a query typed anew. It teaches nothing. One that was replaced since by
         another search is not recognised, and teaches once more.
"""

import numpy as np

from ...arrays import BoolArray, IndexArray, IntArray, UIntArray
from .store import ProfileStore

AGAIN_S = 600


def after_search(
    store: ProfileStore,
    rows: IndexArray,
    words: UIntArray,  # (N, 4), ascending, none of them empty
    at_s: IntArray,  # (N,)
) -> BoolArray:
    """Each user searched for something; True where it is the remembered search again, (N,)."""
    columns, every = store.columns, np.arange(len(rows))
    before, before_s = columns["searched"][rows], columns["searched_at_s"][rows].astype(np.int64)
    differs = before != words
    first = differs.argmax(axis=1)
    ranks_higher = words[every, first] > before[every, first]
    later = np.flatnonzero((at_s > before_s) | (at_s == before_s) & ranks_higher)
    columns["searched"][rows[later]] = words[later]
    columns["searched_at_s"][rows[later]] = at_s[later]
    return np.asarray(~differs.any(axis=1) & (np.abs(at_s - before_s) < AGAIN_S))
