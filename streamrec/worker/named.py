"""Which record a dead letter names: the one at its place, if it has the letter's key and value.

A place alone is not enough. Dead letters live for 14 days, and a topic that is made anew gives its offsets out again: a
letter of the earlier topic would hide a good record. Times do not tell the two apart: a letter has the clock of the
worker that wrote it, its record that of the broker, of the content agent, or of its first append. A letter that is a
little too early for its own record would name nothing, and poison would be applied a second time. Key and value are in
the letter, and a record never changes; one of a new topic with the same place, key and value fails as the first did.
"""

from collections.abc import Collection, Iterable, Mapping
from hashlib import blake2b

from ..contracts.records import Record
from .transaction import LETTER_BYTES

Letters = Mapping[int, Collection[bytes]]  # of one partition: offset a letter names -> its fingerprints


def fingerprint(key: bytes | None, value: bytes | None) -> bytes:
    """Of a record, and the same of its letter, which may be cut: 16 bytes, so that many letters need little memory."""
    found = blake2b(digest_size=16)
    for part in (key, value):
        kept = (part or b"")[:LETTER_BYTES]
        found.update(b"null " if part is None else b"%d " % len(kept))
        found.update(kept)
    return found.digest()


def named(letters: Letters, records: Iterable[Record]) -> set[int]:
    """Offsets of the records of this partition that the letters name."""
    return {
        record.offset
        for record in records
        if record.offset in letters and fingerprint(record.key, record.value) in letters[record.offset]
    }
