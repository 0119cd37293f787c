"""Which articles events wait for: asked for every article that becomes known, so that few rows are searched in vain.

A superset of the keys that stand in rows. A row lets go of older events on its own, so the set is counted anew from the
rows whenever it is twice as large as it then was: at most twice what waits, and a thousand.
"""

from ..arrays import UIntArray
from ..engine.profiles.store import ProfileStore

AT_LEAST = 1024  # keys


class UnknownArticles:
    """Keys of articles that some user's event may wait for."""

    def __init__(self) -> None:
        self._keys: set[int] = set()
        self._limit = AT_LEAST

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, keys: UIntArray, profiles: ProfileStore) -> None:
        """Note that events on these articles, (N,) keys, may wait in rows from now on."""
        self._keys.update(keys.tolist())
        if len(self._keys) > self._limit:
            self.count(profiles)

    def count(self, profiles: ProfileStore) -> None:
        """Make the keys anew from the rows: those that some event waits for, and no others."""
        waiting = profiles["waiting"]["article"]
        self._keys = set(waiting[waiting > 0].tolist())
        self._limit = max(2 * len(self._keys), AT_LEAST)

    def take(self, key: int) -> bool:
        """Whether events may wait for this article, which is now known: its key is taken out."""
        awaited = key in self._keys
        self._keys.discard(key)
        return awaited
