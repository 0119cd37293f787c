"""Which record a dead letter names: the one at its place, if it has the letter's key and value.

A place alone is not enough. Dead letters live for 14 days, and a topic that is made anew gives its offsets out again: a
letter of the earlier topic would hide a good record. Times do not tell the two apart: a letter has the clock of the
worker that wrote it, its record that of the broker, of the content agent, or of its first append. A letter that is a
little too early for its own record would name nothing, and poison would be applied a second time. Key and value are in
the letter, and a record never changes; one of a new topic with the same place, key and value fails as the first did.
"""

from collections import defaultdict
from collections.abc import Iterable
from hashlib import blake2b
from typing import Protocol

from ...contracts.records import Record
from ...kafka.transactions import LETTER_BYTES


class Keyed(Protocol):
    """Anything with a record's key and value: the record itself, or a dead letter that holds them."""

    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...


class DeadLetterIndex:
    """The dead letters of one input partition by the offset they name, to tell which of its records were set aside."""

    def __init__(self) -> None:
        self._at = defaultdict[int, set[bytes]](set)  # offset a letter names -> digests of what it had there

    def add(self, offset: int, letter: Keyed) -> None:
        """Add a letter that names this offset; one that no record has is harmless."""
        self._at[offset].add(_digest(letter))

    def named(self, records: Iterable[Record]) -> set[int]:
        """Offsets of the records of this partition that the letters name."""
        at = self._at
        return {record.offset for record in records if record.offset in at and _digest(record) in at[record.offset]}


def _digest(record: Keyed) -> bytes:
    """Of a record, and the same of its letter, which may be cut: 16 bytes, so that many letters need little memory."""
    found = blake2b(digest_size=16)
    for part in (record.key, record.value):
        kept = (part or b"")[:LETTER_BYTES]
        found.update(b"null " if part is None else b"%d " % len(kept))
        found.update(kept)
    return found.digest()
