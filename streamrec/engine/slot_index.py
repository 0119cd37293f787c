"""Article keys to catalog slots, for many keys at once.

    find(keys)  -> slots, any shape; -1 = none

A table of 2**16 buckets answers most keys with one gather: a bucket that is empty holds no key, one whose slot has the
key is the answer. Where another key lies in the bucket a dict is asked. Two articles may share a key (CRC-32 collides);
all of them stay: `find` names the one that came last, `sharing` the others.
"""

import numpy as np
import numpy.typing as npt

from ..arrays import BoolArray, IndexArray, UIntArray

BITS = 16
SPREAD = np.uint32(2_654_435_769)  # Knuth's multiplicative hash
EMPTY, SHARED = -1, -2  # of a bucket; SHARED: ask the dict


class SlotIndex:
    """Finds the catalog slot of article keys, many at once, by a hash table that is a numpy array."""

    def __init__(self) -> None:
        self._of_key: dict[int, list[int]] = {}
        self._bucket: npt.NDArray[np.int32] = np.full(1 << BITS, EMPTY, np.int32)
        self._held: npt.NDArray[np.uint16] = np.zeros(1 << BITS, np.uint16)  # slots in each bucket
        self._key: UIntArray = np.zeros(256, np.uint32)  # of each slot

    def add(self, key: int, slot: int) -> None:
        """Let a catalog slot hold a key from now on; several slots may hold the same."""
        while slot >= len(self._key):
            self._key = np.concatenate([self._key, np.zeros_like(self._key)])
        self._key[slot] = key
        self._of_key.setdefault(key, []).append(slot)
        bucket = _bucket(np.array([key], np.uint32))
        self._held[bucket] += 1
        self._bucket[bucket] = slot if self._held[bucket] == 1 else SHARED

    def remove(self, key: int, slot: int) -> None:
        """Free a slot that held this key."""
        self._of_key[key].remove(slot)
        if not self._of_key[key]:
            del self._of_key[key]
        bucket = _bucket(np.array([key], np.uint32))
        self._held[bucket] -= 1
        if not self._held[bucket]:
            self._bucket[bucket] = EMPTY

    def sharing(self, key: int) -> list[int]:
        """All slots that hold this key: several where ids have the same CRC-32."""
        return self._of_key.get(key, [])

    def shared(self, keys: UIntArray) -> BoolArray:
        """Which keys more than one slot may hold (it may be another key in the bucket), any shape."""
        return np.asarray(self._held[_bucket(keys)] > 1)

    def find(self, keys: UIntArray) -> IndexArray:
        """The slot of each key, any shape; -1 = none."""
        slots = self._bucket[_bucket(keys)].astype(np.intp)
        wrong = (slots >= 0) & (self._key[slots] != keys)
        slots[wrong] = EMPTY
        ask = np.nonzero(slots == SHARED)
        if len(ask[0]):
            slots[ask] = [found[-1] if (found := self.sharing(key)) else EMPTY for key in keys[ask].tolist()]
        return slots


def _bucket(keys: UIntArray) -> UIntArray:
    return (keys * SPREAD) >> np.uint32(32 - BITS)
