"""A batch is decompressed within a limit; one that goes beyond is one record that says so, and reading goes on."""

import gzip
from typing import Any

import cramjam
import pytest
from aiokafka.record.memory_records import MemoryRecords
from bombs import CODECS, batch_of
from hypothesis import given
from hypothesis import strategies as st
from unnamed import checked

from streamrec.contracts.records import UnreadableBatch
from streamrec.kafka import decompression
from streamrec.kafka.consumer import _Records
from streamrec.kafka.decompression import HEADER_BYTES, MOST_BYTES

LIMIT = 2000


def read(data: bytes, reader: Any = _Records) -> list[tuple[int, Any]]:
    """Offsets and values of all records."""
    records, found = reader(data), []
    while records.has_next():
        batch = records.next_batch()
        assert batch.validate_crc()
        found += [(record.offset, record.value) for record in batch]
    return found


def holding(packed: bytes, codec: str) -> bytes:
    """A batch of one record, with this in place of what was compressed."""
    return checked(bytearray(batch_of([b"v"], codec)[:HEADER_BYTES] + packed))


@given(st.sampled_from(sorted(CODECS)), st.lists(st.binary(max_size=40).map(lambda part: part * 30), min_size=1))
def test_a_batch_within_the_limit_is_read_as_by_aiokafka_and_one_beyond_is_one_record(
    codec: str, values: list[bytes]
) -> None:
    """To the byte; it stands at the offset of the last, from which any reader goes on, and is an empty value."""
    data, plain = batch_of(values, codec), batch_of(values, "none")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decompression, "MOST_BYTES", LIMIT)
        found = read(data + data)
    if len(plain) - HEADER_BYTES <= LIMIT:
        assert found == read(data + data, MemoryRecords)
    else:
        assert found == [(len(values) - 1, b"")] * 2
        assert all(isinstance(value, UnreadableBatch) for _, value in found)


@pytest.mark.parametrize("codec", CODECS)
def test_what_no_process_can_bear(codec: str) -> None:
    """The limit as it is, and what is said of the batch."""
    data = batch_of([b"v", bytes(MOST_BYTES)], codec)
    assert len(data) < MOST_BYTES / 20
    ((offset, value),) = read(data)
    assert offset == 1
    assert value.said == (
        f"offsets 0 to 1 are one batch, whose {len(data)} bytes of {codec} do not decompress into 67108864 bytes"
    )


@pytest.mark.parametrize("codec", CODECS)
def test_what_is_no_such_compression(codec: str) -> None:
    """It is as unreadable, and raised at each attempt."""
    whole = batch_of([b"v" * 100], codec)
    for broken in (whole[:-9], whole[:HEADER_BYTES] + b"\xff" * 30):
        ((offset, value),) = read(checked(bytearray(broken)))
        assert (offset, type(value)) == (0, UnreadableBatch)


def test_other_ways_to_write_a_compression() -> None:
    """Snappy as librdkafka writes it, a gzip file of several; and a codec that nobody knows."""
    plain = batch_of([b"v" * 100], "none")[HEADER_BYTES:]
    assert read(holding(bytes(cramjam.snappy.compress_raw(plain)), "snappy")) == [(0, b"v" * 100)]
    assert read(holding(gzip.compress(plain[:50]) + gzip.compress(plain[50:]), "gzip")) == [(0, b"v" * 100)]
    unknown = bytearray(batch_of([b"v"], "none"))
    unknown[decompression.CODEC_AT] |= 7
    assert [type(value) for _, value in read(checked(unknown))] == [UnreadableBatch]
