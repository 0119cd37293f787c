"""Profiles of one partition as columns: numpy arrays over rows, and an index user_id -> row.

A column grows by doubling, in place of the linked blocks one might expect: fresh pages of a grown column are not
touched, so they cost no memory, gathers stay one numpy call, and the copy is rare (64k -> 128k users: 37 MB).
Derived columns (int8 mirror, its scale, zone slot, salt, active_ms) are rebuilt from the row and never logged. So is
`side`, the number of a reader's preferences (preferences.py), which are logged in a record of their own.

Shapes: R = rows in use, D = 64. Rows are handed out in order of first appearance and never move. Whoever is forgotten
leaves a row of nobody (`layout` 0, opted out), which is handed out again once its tombstone was encoded for the log.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ...arrays import AnyArray, IndexArray
from .layout import CONSENT_OUT, DEFAULTS, DIMS, NO_CAP, NO_OVERRIDE, ROW
from .preferences import PreferenceTable
from .statements import PREFIX, Said, decoded
from .zones import zone_slots

Rows = slice | IndexArray

RESTORED_TOGETHER = 65_536  # rows
SAID = (
    "consent",
    "consent_at_ms",
    "daily_cap",
    "quiet_from_min",
    "quiet_to_min",
    "side",
)  # never forgotten for silence

_FIELDS = tuple(ROW.names or ())


class ProfileStore:
    """The profiles of one partition's users: a numpy column a field, and the row of each user id."""

    def __init__(self, capacity: int = 64) -> None:
        self.users: list[str] = []  # row -> user_id; "" where the row is free
        self._index: dict[str, int] = {}
        self._leaving: set[int] = set()  # rows of nobody whose tombstone is not encoded yet
        self._free: list[int] = []
        self.columns: dict[str, AnyArray] = {
            name: np.zeros((capacity, *ROW[name].shape), ROW[name].base) for name in _FIELDS
        }
        self.columns["mirror"] = np.zeros((capacity, DIMS), np.int8)  # round(interest / scale)
        self.columns["scale"] = np.zeros(capacity, np.float32)
        self.columns["zone_slot"] = np.zeros(capacity, np.uint16)
        self.columns["active_ms"] = np.zeros(capacity, np.int64)  # last_active_s, to the millisecond
        self.columns["salt"] = np.zeros(capacity, np.uint32)  # CRC-32 of the user id: a fixed spread between users
        self.columns["side"] = np.zeros(capacity, np.uint32)  # of `preferences`; 0: nothing was said
        self.preferences = PreferenceTable()
        self._unwritten: dict[str, int] = {}  # whose preferences are not encoded yet -> row at that time

    def __len__(self) -> int:
        """How many rows are in use, free ones below the highest among them: the length of every column."""
        return len(self.users)

    def count(self) -> int:
        """How many users have a profile."""
        return len(self._index)

    def __iter__(self) -> Iterator[str]:
        """The ids of all users who have a profile."""
        return iter(self._index)

    def __getitem__(self, field: str) -> AnyArray:
        """The column over all rows in use (a view)."""
        return self.columns[field][: len(self.users)]

    def row(self, user_id: str) -> int | None:
        """Row number of a user, None if unknown."""
        return self._index.get(user_id)

    def rows_of(self, user_ids: Sequence[str], seen_s: npt.ArrayLike) -> IndexArray:
        """Rows of these users, made if need be; `seen_s` (N,) becomes first_seen_s of the new ones."""
        index = self._index
        rows = np.array([index.get(user_id, -1) for user_id in user_ids], np.intp)
        new = np.flatnonzero(rows < 0)
        if len(new):
            made, first, reused = [], [], bool(self._free)
            for i in new.tolist():
                user_id = user_ids[i]
                row = index.get(user_id)
                if row is None:
                    row = index[user_id] = self._row_for(user_id)
                    made.append(row)
                    first.append(i)
                rows[i] = row
            self._grow(len(self.users))
            if reused:
                self._clear(np.array(made, np.intp))
            self._start_rows(np.array(made, np.intp), np.asarray(seen_s)[first])
        return rows

    def _row_for(self, user_id: str) -> int:
        if self._free:
            row = self._free.pop()
            self.users[row] = user_id
            return row
        self.users.append(user_id)
        return len(self.users) - 1

    def _start_rows(self, rows: IndexArray, first_seen_s: npt.NDArray[np.integer[Any]]) -> None:
        self.columns["salt"][rows] = [zlib.crc32(self.users[row].encode()) for row in rows.tolist()]
        self.columns["first_seen_s"][rows] = first_seen_s
        for name, value in DEFAULTS.items():
            self.columns[name][rows] = value

    def _clear(self, rows: IndexArray) -> None:
        for column in self.columns.values():
            column[rows] = np.zeros((), column.dtype)

    def forget(self, rows: IndexArray) -> None:
        """These users are not known any more; `encode` these rows once for their tombstones."""
        for row in rows.tolist():
            del self._index[self.users[row]]
            if side := int(self.columns["side"][row]):
                self.preferences.drop(side)
                self._unwritten[self.users[row]] = row
        self._clear(rows)
        self.columns["consent"][rows] = CONSENT_OUT  # nobody gets no push
        self._leaving.update(rows.tolist())

    def start_again(self, rows: IndexArray, now_s: int) -> None:
        """Empty the rows of these users, so that only what they said stays: consent, and when, and preferences."""
        kept = {name: self.columns[name][rows] for name in SAID}
        self._clear(rows)
        self._start_rows(rows, np.full(len(rows), now_s, np.int64))
        for name, values in kept.items():
            self.columns[name][rows] = values
        self.derive_zones(rows)

    # --- preferences --------------------------------------------------------------------------------------------------

    def said(self, row: int) -> Said:
        """What the user of this row has said they want."""
        return self.preferences.said(int(self.columns["side"][row]))

    def say(self, row: int, said: Said) -> None:
        """Let this be what the user of this row has said; `encode` the row to log it."""
        self._put_said(row, said)
        self._unwritten[self.users[row]] = row

    def _put_said(self, row: int, said: Said) -> None:
        columns = self.columns
        columns["side"][row] = self.preferences.put(int(columns["side"][row]), said)
        cap, quiet = said.value("daily_cap"), said.value("quiet_hours")
        columns["daily_cap"][row] = NO_CAP if cap is None else cap
        start, end = str(quiet).split("-") if quiet else ("", "")
        columns["quiet_from_min"][row], columns["quiet_to_min"][row] = _minute(start), _minute(end)
        self.derive_zones(np.array([row], np.intp))

    def derive_zones(self, rows: IndexArray) -> None:
        """The zone slots of these rows: of the zone that was stated, or else that of the device."""
        stated = self.preferences.columns["zone"][self.columns["side"][rows]]
        self.columns["zone_slot"][rows] = zone_slots(np.where(stated > 0, stated, self.columns["zone"][rows]))

    def _encode_said(self, rows: IndexArray) -> list[tuple[bytes, bytes | None]]:
        changed = {*rows.tolist()}
        found: list[tuple[bytes, bytes | None]] = []
        for user_id in sorted(user_id for user_id, row in self._unwritten.items() if row in changed):
            del self._unwritten[user_id]
            row = self._index.get(user_id)
            side = 0 if row is None else int(self.columns["side"][row])
            found.append((PREFIX + user_id.encode(), self.preferences.said(side).encoded() if side else None))
        return found

    def everybody(self, start: int, stop: int) -> "Users":
        """Users of these rows, without nobody's."""
        if not (self._leaving or self._free):
            return Users(self, slice(start, stop))
        return Users(self, start + np.flatnonzero(self.columns["layout"][start:stop]))

    def _grow(self, rows: int) -> None:
        capacity = len(self.columns["layout"])
        if rows <= capacity:
            return
        while capacity < rows:
            capacity *= 2
        for name, old in self.columns.items():
            column = np.zeros((capacity, *old.shape[1:]), old.dtype)
            column[: len(old)] = old
            self.columns[name] = column

    def mirror_rows(self, rows: Rows) -> None:
        """Renew the int8 mirror of these rows; |interest - mirror * scale| <= scale / 2."""
        interest = self.columns["interest"][rows].astype(np.float32)  # (n, D)
        scale = np.abs(interest).max(axis=1) / 127
        self.columns["scale"][rows] = scale
        safe = np.where(scale > 0, scale, 1)[:, None]
        self.columns["mirror"][rows] = np.rint(interest / safe).astype(np.int8)

    def encode(self, rows: IndexArray) -> list[tuple[bytes, bytes | None]]:
        """Changelog records (key, value) of these rows: tombstones first, nothing of free rows; then what was said."""
        said = self._encode_said(rows) if self._unwritten else []
        return self._encode_rows(rows) + said

    def _encode_rows(self, rows: IndexArray) -> list[tuple[bytes, bytes | None]]:
        gone: list[tuple[bytes, bytes | None]] = []
        if self._leaving or self._free:
            gone = self._tombstones(rows)
            rows = rows[self.columns["layout"][rows] > 0]
        packed = np.empty(len(rows), ROW)
        for name in _FIELDS:
            packed[name] = self.columns[name][rows]
        data, size, users = packed.tobytes(), ROW.itemsize, self.users
        return gone + [(users[row].encode(), data[i * size : (i + 1) * size]) for i, row in enumerate(rows.tolist())]

    def rows(self) -> dict[bytes, bytes]:
        """Every user's row as the changelog holds it, by its key."""
        encoded = self._encode_rows(np.flatnonzero(self["layout"]))
        return {key: row for key, row in encoded if row is not None}

    def _tombstones(self, rows: IndexArray) -> list[tuple[bytes, bytes | None]]:
        left = [row for row in rows.tolist() if row in self._leaving]
        gone = [self.users[row] for row in left if self.users[row] not in self._index]  # the others came back
        for row in left:
            self.users[row] = ""
        self._leaving.difference_update(left)
        self._free += left
        return [(user_id.encode(), None) for user_id in gone]

    def restore(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Rows and preferences from the changelog; of several values of one key the last one counts, None for none."""
        last = {key: value for key, value in dict(records).items() if value is not None}
        said = {key[1:].decode(): last.pop(key) for key in [key for key in last if key.startswith(PREFIX)]}
        keys, values = list(last), list(last.values())
        self._grow(len(self.users) + len(keys))
        for start in range(0, len(keys), RESTORED_TOGETHER):  # what is copied on the way stays small
            some = slice(start, start + RESTORED_TOGETHER)
            self._restore([key.decode() for key in keys[some]], np.frombuffer(b"".join(values[some]), ROW))
        for user_id, record in said.items():
            if (row := self._index.get(user_id)) is not None:
                self._put_said(row, decoded(record))

    def _restore(self, users: list[str], packed: AnyArray) -> None:
        rows = self.rows_of(users, packed["first_seen_s"])
        for name in _FIELDS:
            self.columns[name][rows] = packed[name]
        self.mirror_rows(rows)
        self.derive_zones(rows)
        self.columns["active_ms"][rows] = packed["last_active_s"].astype(np.int64) * 1000


def _minute(clock_time: str) -> int:
    """Minute of the day of a time as in 22:00; NO_OVERRIDE of none."""
    hours, _, minutes = clock_time.partition(":")
    return int(hours) * 60 + int(minutes) if clock_time else NO_OVERRIDE


class Users:
    """Some users of a partition: a column's rows are gathered when asked for (a slice costs no copy)."""

    def __init__(self, store: ProfileStore, rows: Rows) -> None:
        self.store = store
        self.rows = rows

    def __len__(self) -> int:
        return len(self.indices())

    def __getitem__(self, field: str) -> AnyArray:
        return self.store[field][self.rows]

    def indices(self) -> IndexArray:
        """Row numbers of these users, (n,), also where they are kept as a slice."""
        if isinstance(self.rows, slice):
            return np.arange(*self.rows.indices(len(self.store)), dtype=np.intp)
        return self.rows

    def take(self, chosen: IndexArray) -> "Users":
        """These users only; `chosen` counts within the present selection."""
        return Users(self.store, self.indices()[chosen])
