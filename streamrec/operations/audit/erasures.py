"""Pushes to readers who were erased, and not back yet.

Judged from the first cursor past the latest erasure of a reader. Whoever comes back has a row that begins then, so a
push from before it, or without any, reached somebody who was forgotten. Where a request came to another partition, or
one was set aside, nothing is told; nor where readers may have been forgotten since for their silence.
"""

from collections.abc import Sequence

from ...contracts.decode import Origin, Typed, decode_erasures
from ...contracts.partitioner import partition_of
from ...contracts.records import Record
from .pushes import Pushes


class Erasures:
    """Take every record of `erasure`, after pushes."""

    def __init__(self, partitions: int, pushes: Pushes) -> None:
        self.last: dict[int, tuple[int, int]] = {}  # user -> partition and offset
        self.unsure: set[int] = set()
        self._partitions, self._index = partitions, pushes.index

    def take_dead_letters(self, records: Sequence[Record]) -> None:
        """Records of `erasure.dlq`: whoever they name."""
        keys = [(record.key or b"").decode(errors="replace") for record in records]
        self.unsure.update(self._index[key] for key in keys if key in self._index)

    def take(self, partition: int, records: Sequence[Record]) -> None:
        """Take records of one partition of `erasure`, in order."""
        for item in decode_erasures(records, Origin("erasure", partition)):
            if isinstance(item, Typed) and (user := self._index.get(item.value.user_id)) is not None:
                self.last[user] = partition, item.offset
                if partition_of(item.value.user_id, self._partitions) != partition:
                    self.unsure.add(user)
