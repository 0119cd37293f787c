"""The profiles changelog as an auditor needs it: who has a row, what the rows of pushed users say, the cursors.

Compaction leaves the last record of each key, so only the last one is relied on; older cursors, where they are still
there, tell earlier when an event was applied. A cursor's `appended_ms` is when its transaction was put together.
"""

import bisect
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import orjson

from ...arrays import AnyArray, ByteArray, IndexArray
from ...contracts.partitioner import partitions_of
from ...contracts.records import Record, Topic
from ...engine.profiles.layout import LAYOUT_VERSION, ROW
from ...engine.profiles.upgrade import version_of
from ...partition.changelog_meta import (
    BESIDE_ROWS,
    CONTROL_PREFIX,
    CURSOR_KEY,
    LAYOUT_KEY,
    MOVED_KEY,
    OWNER_KEY,
    SPACE_KEY,
)
from ...partition.erasures import ERASED_PREFIX
from .findings import Example, Tally

KEPT = (
    "first_seen_s", "n_pushes", "zone", "quiet_from_min", "quiet_to_min", "consent", "seen", "seen_acts", "floor_s",
    "pushed_at_s", "pushed_story",
)  # fmt: skip
KNOWN = np.dtype([("present", "?"), *((name, ROW[name]) for name in KEPT)])
NO_CAP = 255
JUDGED_BY: tuple[Topic, ...] = ("events", "control", "erasure")  # inputs of which is asked when a record was applied


class Changelog:
    """Take every record of every partition, after all pushes were taken. `index` numbers the users who got one."""

    def __init__(self, partitions: int, tally: Tally, index: dict[str, int]) -> None:
        self.rows: AnyArray = np.zeros(len(index), KNOWN)  # last row of each pushed user, home partition only
        self.own_cap: ByteArray = np.zeros(len(index), np.uint8)  # highest seen in a row; 0 = none
        self.live: list[set[bytes]] = [set() for _ in range(partitions)]
        self.removed: list[set[bytes]] = [set() for _ in range(partitions)]  # a tombstone is the last record
        self.cursors: list[dict[str, int]] = [{} for _ in range(partitions)]
        self.cursor_offsets = [-1] * partitions  # where in the changelog the last cursor lies
        self.strays: list[dict[bytes, tuple[int, int]]] = [{} for _ in range(partitions)]  # key -> home, offset
        self.erased: set[bytes] = set()  # keys of receipts: pushes of these readers were forgotten
        self._partitions, self._tally, self._index = partitions, tally, index
        self._begun: list[list[int]] = [[] for _ in range(partitions)]  # when owners were given their partition
        # of each input: its next offsets, rising, and when each was first committed
        self._progress: defaultdict[tuple[int, str], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))

    def take(self, partition: int, records: Sequence[Record]) -> None:
        """Take records of one partition of the changelog, in order."""
        self._tally.checked("unknown_layout", len(records))
        rows: list[Record] = []
        for record in records:
            key, value = record.key or b"", record.value
            if value is not None and key.startswith(b"\xff"):
                self._meta(partition, record, key, value)
            elif key >= BESIDE_ROWS:
                if key.startswith(ERASED_PREFIX) and value is not None:
                    self.erased.add(key)
            elif _text(key) is None:
                self._unknown(partition, record, "the key is not UTF-8")
            else:
                there, gone = self.live[partition], self.removed[partition]
                (gone if value is None else there).add(key)
                (there if value is None else gone).discard(key)
                rows.append(record)
                if value is not None and len(value) != ROW.itemsize and version_of(value) >= LAYOUT_VERSION:
                    self._unknown(partition, record, f"a row of {len(value)} bytes, expected {ROW.itemsize}")
        self._rows(partition, rows)

    def applied_by_ms(self, partition: int, offset: int, topic: Topic = "events") -> int | None:
        """By when the record at this offset of an input was applied; None if no cursor says it was."""
        nexts, times = self._progress[partition, topic]
        found = bisect.bisect_right(nexts, offset)
        return times[found] if found < len(nexts) else None

    def taken_over_ms(self, partition: int, after_ms: int) -> int | None:
        """When an owner first began after this moment; None if none did that is still in the log."""
        begun = self._begun[partition]
        found = bisect.bisect_right(begun, after_ms)
        return begun[found] if found < len(begun) else None

    def _rows(self, partition: int, records: list[Record]) -> None:
        full = [record for record in records if _is_whole(record)]
        packed = np.frombuffer(b"".join(record.value or b"" for record in full), ROW)
        for at in np.flatnonzero(packed["layout"] > LAYOUT_VERSION).tolist():
            self._unknown(partition, full[at], f"row layout {packed['layout'][at]}, expected {LAYOUT_VERSION}")
        users = [(record.key or b"").decode() for record in full]
        homes = partitions_of(users, self._partitions)
        for at in np.flatnonzero(homes != partition).tolist():
            self.strays[partition][full[at].key or b""] = int(homes[at]), full[at].offset
        for at in np.flatnonzero(packed["daily_cap"] != NO_CAP).tolist():
            if (user := self._index.get(users[at])) is not None:
                self.own_cap[user] = max(self.own_cap[user], packed["daily_cap"][at])
        self._keep(partition, records, packed, homes)

    def _keep(self, partition: int, records: list[Record], packed: AnyArray, homes: IndexArray) -> None:
        last: dict[int, int] = {}  # user -> position in `packed`, -1 = removed or not to be read
        readable = (packed["layout"] == LAYOUT_VERSION).tolist()
        homes_at = homes.tolist()
        at = -1
        for record in records:
            whole = _is_whole(record)
            at += whole
            user = self._index.get((record.key or b"").decode())
            if user is None or (whole and homes_at[at] != partition):
                continue
            last[user] = at if whole and readable[at] else -1
        there = np.array([user for user, found in last.items() if found >= 0], np.intp)
        found = np.array([found for found in last.values() if found >= 0], np.intp)
        for name in KEPT:
            self.rows[name][there] = packed[name][found]
        self.rows["present"][there] = True
        self.rows["present"][[user for user, found in last.items() if found < 0]] = False

    def _meta(self, partition: int, record: Record, key: bytes, value: bytes) -> None:
        try:
            raw = orjson.loads(value)
            if key == CURSOR_KEY:
                self._cursor(partition, record, {str(name): int(to) for name, to in raw["cursor"].items()})
            elif key.startswith(CONTROL_PREFIX):
                pass  # what was commanded (partition/steering.py)
            elif key == MOVED_KEY:
                str(raw["to"])  # by `streamrec migrate`
            elif key == SPACE_KEY:
                if not raw["space"]:
                    self._unknown(partition, record, "a space record without a space")
            elif key == OWNER_KEY:
                self._begun[partition].append(max([record.timestamp, *self._begun[partition][-1:]]))
            elif not key.startswith(LAYOUT_KEY):
                self._unknown(partition, record, "a meta record this release does not know")
            elif raw["layout"] > LAYOUT_VERSION or raw["partitions"] != self._partitions:
                what = f"layout {raw['layout']} for {raw['partitions']} partitions"
                self._unknown(partition, record, f"{what}, expected {LAYOUT_VERSION} for {self._partitions}")
        except (ValueError, KeyError, TypeError, AttributeError):
            self._unknown(partition, record, "a meta record that cannot be read")

    def _cursor(self, partition: int, record: Record, cursor: dict[str, int]) -> None:
        before = self.cursors[partition]
        self._tally.checked("cursor_backwards")
        for topic, to in cursor.items():
            if to < before.get(topic, 0):
                note = f"{topic} from {before[topic]} to {to}"
                self._tally.violated("cursor_backwards", Example("changelog", partition, record.offset, note=note))
        for topic in JUDGED_BY:
            nexts, times = self._progress[partition, topic]
            if (to := cursor.get(topic, 0)) > (nexts[-1] if nexts else 0):
                nexts.append(to)
                times.append(record.timestamp)
        self.cursors[partition], self.cursor_offsets[partition] = cursor, record.offset

    def _unknown(self, partition: int, record: Record, note: str) -> None:
        self._tally.violated("unknown_layout", Example("changelog", partition, record.offset, note=note))


def _is_whole(record: Record) -> bool:
    return record.value is not None and len(record.value) == ROW.itemsize


def _text(key: bytes) -> str | None:
    try:
        return key.decode()
    except UnicodeDecodeError:
        return None
