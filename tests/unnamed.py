"""Batches with header names that are no UTF-8, which aiokafka does not write."""

import struct

from aiokafka.record.util import calc_crc32c

CRC = slice(17, 21)
PLACE = b"nnnn"  # what stands for a name of four bytes until it is put in


def renamed(batch: bytes, *names: bytes) -> bytes:
    """Of an uncompressed batch: these names instead of the places, in order; the checksum is right."""
    data, at = bytearray(batch), 61
    for name in names:
        at = data.index(PLACE, at)
        data[at : at + len(PLACE)] = name
        at += len(PLACE)
    return checked(data)


def checked(data: bytearray) -> bytes:
    """With the length and the checksum of what it holds now."""
    data[8:12] = struct.pack(">i", len(data) - 12)
    data[CRC] = struct.pack(">I", calc_crc32c(bytes(data[21:])))
    return bytes(data)
