"""The pushes of a cluster as one table, 72 bytes each, in the order of each partition's log.

Times are the policy clock's (`created_ms`); `appended_ms` is Kafka's. Article, story and category are hashes of 32
bits, push ids of 128. Only users who got a push are known here: every other rule about users starts from these.
"""

import struct
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec
import numpy as np

from ...arrays import AnyArray
from ...contracts.framing import UNDECODABLE
from ...contracts.ids import key_of
from ...contracts.limits import LATEST_MS
from ...contracts.partitioner import partitions_of
from ...contracts.push import Push
from ...contracts.records import Record
from .findings import Example, Tally

TABLE = np.dtype(
    [
        ("user", "<u4"),  # index into `users`
        ("partition", "<u2"),
        ("at_home", "?"),  # partition is the user's own
        ("breaking", "?"),
        ("due", "?"),  # trigger: the user was due, not the article new
        ("judged", "?"),  # appended since the time asked for; the others are history only
        ("article", "<u4"),
        ("story", "<u4"),
        ("category", "<u4"),
        ("offset", "<i8"),
        ("appended_ms", "<i8"),
        ("created_ms", "<i8"),
        ("version", "<i8"),  # of the article, as its newsroom counts
        ("id_high", "<u8"),
        ("id_low", "<u8"),
    ]
)
_decode = msgspec.json.Decoder(Push).decode


class ByCommand(NamedTuple):
    """A record that takes back or corrects what was pushed; `user` is an index, `article` a key."""

    user: int
    article: int
    partition: int
    offset: int
    push_id: str
    created_ms: int
    correction: int | None  # of a correction: the version that is sent


class Pushes:
    """Collects the records of `push` into one table: `take` every record, then `settle`."""

    def __init__(self, partitions: int, tally: Tally, since_ms: int = 0) -> None:
        self.users: list[str] = []
        self.index: dict[str, int] = {}
        self.table: AnyArray = np.empty(0, TABLE)
        self._partitions, self._tally, self._since_ms = partitions, tally, since_ms
        self._taken: list[AnyArray] = []
        self.by_command: list[ByCommand] = []
        self._first: dict[int, int] = {}  # partition -> offset of the first record read

    def take(self, partition: int, records: Sequence[Record]) -> None:
        """Take records of one partition of `push`, in order."""
        pushed = [(record, push) for record in records if (push := self._push(partition, record)) is not None]
        good = [(record, push) for record, push in pushed if push.kind == "push"]
        for record, push in pushed:
            if push.kind != "push":
                where = self._user(push.user_id), key_of(push.article_id), partition, record.offset
                correction = push.article_version if push.kind == "correct" else None
                self.by_command.append(ByCommand(*where, push.push_id, push.created_at_ms, correction))
        if records:
            self._first.setdefault(partition, records[0].offset)
        homes = partitions_of([push.user_id for _, push in good], self._partitions)
        rows = []
        for (record, push), home in zip(good, homes.tolist(), strict=True):
            judged = record.timestamp >= self._since_ms
            if judged:
                self._judge(partition, record, push, home)
            high, low = struct.unpack("<QQ", blake2b(push.push_id.encode(), digest_size=16).digest())
            ids = key_of(push.article_id), key_of(push.story_id), key_of(push.category)
            flags = home == partition, push.priority == "breaking", push.trigger == "due", judged
            times = record.offset, record.timestamp, push.created_at_ms, push.article_version
            rows.append((self._user(push.user_id), partition, *flags, *ids, *times, high, low))
        if rows:
            self._taken.append(np.array(rows, TABLE))

    def is_whole(self, partition: int) -> bool:
        """Whether no record of this partition was deleted by retention."""
        return self._first.get(partition, 0) == 0

    def settle(self) -> None:
        """Make the table, once all pushes are taken."""
        if self._taken:
            self.table = np.concatenate([self.table, *self._taken])
            self._taken = []

    def example(self, at: int, note: str = "") -> Example:
        """The push in this row of the table as an example of a violation."""
        row = self.table[at]
        return Example("push", int(row["partition"]), int(row["offset"]), self.users[row["user"]], note)

    def _push(self, partition: int, record: Record) -> Push | None:
        judged = record.timestamp >= self._since_ms
        self._tally.checked("push_malformed", judged)
        try:
            push = _decode(record.value or b"")
        except UNDECODABLE:
            note = "does not decode"
        else:
            if record.key == push.user_id.encode() and 0 < push.created_at_ms <= LATEST_MS:
                return push
            note = "key is not its user" if record.key != push.user_id.encode() else "created_at_ms is no time"
        if judged:
            self._tally.violated("push_malformed", Example("push", partition, record.offset, note=note))
        return None

    def _judge(self, partition: int, record: Record, push: Push, home: int) -> None:
        self._tally.checked("pushed_expired")
        self._tally.checked("wrong_partition")
        example = Example("push", partition, record.offset, push.user_id)
        if push.expires_at_ms <= push.created_at_ms:
            self._tally.violated("pushed_expired", example)
        if home != partition:
            self._tally.violated("wrong_partition", example._replace(note=f"belongs to partition {home}"))

    def _user(self, user_id: str) -> int:
        found = self.index.setdefault(user_id, len(self.users))
        if found == len(self.users):
            self.users.append(user_id)
        return found
