"""decompressed(batch): a record batch (of version 2) without its compression; never more than MOST_BYTES of it.

Brokers limit a batch as it was sent, and not what it comes to: 27 KB of zstd can hold 900 MB. aiokafka would decompress
it whole, at each start anew, so whoever may write to a topic could end the workers of a partition for good. Producers
limit what they compress: Java's and librdkafka's take at most 1 MB into a batch by default, or a few times that where
they guess how well it compresses. 64 MiB is 64 times message.max.bytes as Kafka comes, and is what a process can spare.

    batch = header of 61 bytes, records; what compresses the records stands in three bits of the header
"""

import gzip
import io
import zlib
from collections.abc import Callable, Mapping

import cramjam
import numpy as np

MOST_BYTES = 64 * 1024 * 1024
HEADER_BYTES = 61
CODEC_AT, CODEC_BITS = 22, 0b111
USUAL_RATIO, SPARE_BYTES = 16, 16 * 1024  # room that most batches do with

XERIAL = b"\x82SNAPPY\0" + bytes([0, 0, 0, 1, 0, 0, 0, 1])  # how Java frames snappy: blocks, each behind its length
LENGTH_BYTES = 4
UNUSABLE = cramjam.DecompressionError, zlib.error, gzip.BadGzipFile, EOFError, ValueError


class TooLargeError(Exception):
    """A batch does not decompress into what we allow: it is too large, or what is in it is no such compression."""


def codec_of(batch: memoryview) -> str:
    """What its records are compressed with; "" if they are not."""
    number = batch[CODEC_AT] & CODEC_BITS
    return NAMES[number] if number < len(NAMES) else str(number)


def decompressed(batch: memoryview) -> memoryview:
    """The batch as it would be without compression; its checksum is still that of the original. TooLargeError."""
    packed = batch[HEADER_BYTES:]
    into = INTO.get(codec_of(batch))
    if into is None:
        raise TooLargeError
    for room in (min(MOST_BYTES, USUAL_RATIO * len(packed) + SPARE_BYTES), MOST_BYTES):
        whole = np.empty(HEADER_BYTES + room, np.uint8).data  # no page of it is touched before it is needed
        try:
            size = into(packed, whole[HEADER_BYTES:])
        except UNUSABLE:
            if room == MOST_BYTES:
                raise TooLargeError from None
        else:
            break
    whole[:HEADER_BYTES] = batch[:HEADER_BYTES]
    whole[CODEC_AT] &= ~CODEC_BITS & 0xFF
    return whole[: HEADER_BYTES + size]


def _gzip(packed: memoryview, room: memoryview) -> int:
    with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
        found = file.read(len(room) + 1)
    if len(found) > len(room):
        raise ValueError
    room[: len(found)] = found
    return len(found)


def _snappy(packed: memoryview, room: memoryview) -> int:
    if packed[: len(XERIAL)] != XERIAL:
        return int(cramjam.snappy.decompress_raw_into(packed, room))
    size, at = 0, len(XERIAL)
    while at < len(packed):
        start = at + LENGTH_BYTES
        at = start + int.from_bytes(packed[at:start], "big")
        size += int(cramjam.snappy.decompress_raw_into(packed[start:at], room[size:]))
    return size


NAMES = "", "gzip", "snappy", "lz4", "zstd"
INTO: Mapping[str, Callable[[memoryview, memoryview], int]] = {
    "gzip": _gzip,
    "snappy": _snappy,
    "lz4": cramjam.lz4.decompress_into,
    "zstd": cramjam.zstd.decompress_into,
}
