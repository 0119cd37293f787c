"""How many bytes a record takes up in a batch: what a broker's limit is about.

    record_bytes(key, value, headers)   a batch of this record alone; at most 30 bytes above its true length
    headers_bytes(headers)              its headers alone
    kib(records)                        what records take up in memory: keys, values and headers, in all

Headers come from producers: there may be any number of them, of any length, and their values may be null.
"""

from collections.abc import Iterable

from .records import Record

BATCH_FRAME = (
    61 + 1 + 5 + 5 + 10 + 5
)  # of the batch; attributes, length, offset, time and number of headers of a record


def record_bytes(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes | None]] = ()) -> int:
    """Bytes of a record batch that holds this record alone; at most 30 above its true length."""
    return BATCH_FRAME + _framed(len(key or b"")) + _framed(len(value or b"")) + headers_bytes(headers)


def headers_bytes(headers: Iterable[tuple[str, bytes | None]]) -> int:
    """Bytes of headers in a record: their names, their values and the lengths of both."""
    return sum(_framed(len(name.encode())) + _framed(len(value or b"")) for name, value in headers)


def kib(records: Iterable[Record]) -> int:
    """Whole KiB that records take up in memory, all together; few operations a record, as they come by the thousand."""
    size = 0
    for record in records:
        size += len(record.value or b"") + len(record.key or b"")
        for name, header in record.headers:
            size += len(name) + len(header or b"")
    return size // 1024


def _framed(length: int) -> int:
    return length + length.bit_length() // 7 + 1  # behind its length as a zig-zag varint
