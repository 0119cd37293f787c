"""Sets of names, one an owner, as numbers one behind the other: asked for thousands of owners in one numpy call.

A set that changes is written anew behind the others; when more than half is waste, all are moved together.
"""

from collections.abc import Sequence

import numpy as np

from ...arrays import BoolArray, IndexArray, UIntArray

AT_LEAST = 1024  # numbers, before anything is moved


class NameSets:
    """Owner number -> the keys (uint32) of its names."""

    def __init__(self) -> None:
        self._keys: UIntArray = np.zeros(16, np.uint32)
        self._start: IndexArray = np.zeros(16, np.intp)  # by owner
        self._count: IndexArray = np.zeros(16, np.intp)
        self._end = self._used = 0

    def put(self, owner: int, keys: Sequence[int]) -> None:
        """Let these be the names of this owner, in place of what they were."""
        while owner >= len(self._start):
            self._start, self._count = (
                np.concatenate([each, np.zeros_like(each)]) for each in (self._start, self._count)
            )
        self._used += len(keys) - int(self._count[owner])
        while self._end + len(keys) > len(self._keys):
            self._keys = np.concatenate([self._keys, np.zeros_like(self._keys)])
        self._keys[self._end : self._end + len(keys)] = keys
        self._start[owner], self._count[owner] = self._end, len(keys)
        self._end += len(keys)
        if self._end > AT_LEAST and self._end > 2 * self._used:
            self._move_together()

    def have_any(self, owners: IndexArray, keys: UIntArray) -> BoolArray:
        """Whether each of these owners, (N,), has any of these names, (K,)."""
        found = np.zeros(len(owners), np.bool_)
        if len(keys) and self._used:
            where, at = self._places(owners)
            found[where[np.isin(self._keys[at], keys)]] = True
        return found

    def _places(self, owners: IndexArray) -> tuple[IndexArray, IndexArray]:
        """For each name of these owners: whose it is, as a position among them, and where it stands."""
        known = np.where(owners < len(self._start), owners, 0)
        count = np.where(owners < len(self._start), self._count[known], 0)
        where = np.repeat(np.arange(len(owners)), count)
        first = np.cumsum(count) - count
        return where, self._start[known][where] + np.arange(len(where)) - first[where]

    def _move_together(self) -> None:
        where, at = self._places(np.arange(len(self._start)))
        self._keys[: len(where)] = self._keys[at]
        self._start = np.cumsum(self._count) - self._count
        self._end = len(where)
