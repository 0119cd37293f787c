"""Header names of any bytes are read, and all other records as aiokafka reads them."""

import struct
from itertools import islice
from typing import Any

import pytest
from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from hypothesis import given
from hypothesis import strategies as st
from unnamed import PLACE, checked, renamed

from streamrec.kafka.consumer import _Records, as_read

Headers = list[tuple[bytes, bytes | None]]


def batch_of(headers: list[Headers], first: int = 0, codec: int = 0) -> bytes:
    """A record with each of these headers; names of four bytes, of any value where the batch is not compressed."""
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 1_000_000)
    for at, some in enumerate(headers):
        names = [PLACE.decode() if codec == 0 else name.decode() for name, _ in some]
        builder.append(at, 7, b"key", b"value", list(zip(names, (value for _, value in some), strict=True)))
    data = bytes(builder.build())
    if codec == 0:
        data = renamed(data, *(name for some in headers for name, _ in some))
    return checked(bytearray(struct.pack(">q", first) + data[8:]))


def read(data: bytes, reader: Any = _Records) -> list[tuple[int, Any, Any, Any]]:
    """Everything, in order."""
    records, found = reader(data), []
    while records.has_next():
        batch = records.next_batch()
        assert batch.validate_crc()
        found += [(record.offset, record.key, record.value, list(record.headers)) for record in batch]
    assert records.next_batch() is None
    return found


names = st.binary(min_size=4, max_size=4).filter(lambda name: name != PLACE)
some_headers = st.lists(st.tuples(names, st.none() | st.binary(max_size=9).filter(lambda v: b"n" not in v)), max_size=3)


@given(st.lists(st.lists(some_headers, min_size=1, max_size=5), min_size=1, max_size=3))
def test_every_record_is_read_whatever_its_headers_are_called(batches: list[list[Headers]]) -> None:
    """With its neighbours, in order, in one batch and in the next."""
    data, wanted, first = b"", list[Any](), 0
    for headers in batches:
        data += batch_of(headers, first)
        said = [[(name.decode("utf-8", "backslashreplace"), value) for name, value in some] for some in headers]
        wanted += [(first + at, b"key", b"value", some) for at, some in enumerate(said)]
        first += len(headers)
    assert read(data) == wanted


@given(st.lists(st.lists(some_headers, min_size=1, max_size=5), min_size=1, max_size=3), st.integers(0, 9))
def test_records_as_read_say_the_same(batches: list[list[Headers]], start: int) -> None:
    """Without an object of its own each; from where the consumer stood, some at a time, and to the same end."""
    data, first = b"", 0
    for headers in batches:
        data += batch_of(headers, first)
        first += len(headers)
    found = []
    for deserializer in (None, as_read):
        records = fetcher.PartitionRecords(
            TopicPartition("t", 0), _Records(data), [], start, deserializer, None, True, fetcher.READ_COMMITTED
        )
        some = [*islice(records, 2), *records]
        fields = [(one.offset, one.timestamp, one.key, one.value, tuple(one.headers)) for one in some]
        found.append((fields, records.next_fetch_offset))
        assert all(hasattr(one, "topic") == (deserializer is None) for one in some)
    assert found[0] == found[1]


@pytest.mark.parametrize("codec", [0, 1, 2, 3, 4], ids=["none", "gzip", "snappy", "lz4", "zstd"])
def test_readable_names_are_read_as_by_aiokafka(codec: int) -> None:
    """Two batches and the beginning of a third, which a fetch may end with."""
    data = batch_of([[(b"abcd", b"1")], []], 0, codec) + batch_of([[("néx".encode(), None)]], 2, codec)
    found = read(data + data[:30])
    assert found == read(data + data[:30], MemoryRecords)
    assert [offset for offset, *_ in found] == [0, 1, 2]


def test_a_name_that_is_no_utf_8_is_written_out_in_a_compressed_batch_too() -> None:
    """Aiokafka raises there; what stands before it is not read twice."""
    from aiokafka.codec import lz4_decode, lz4_encode

    data = bytearray(batch_of([[(b"good", b"1")], [(b"nnnn", b"2")], [(b"also", b"3")]], 0, 3))
    data = data[:61] + lz4_encode(bytes(lz4_decode(bytes(data[61:]))).replace(PLACE, b"n\xff\xfen"))
    data = bytearray(checked(data))
    with pytest.raises(UnicodeDecodeError):
        read(bytes(data), MemoryRecords)
    assert [headers for *_, headers in read(bytes(data))] == [
        [("good", b"1")],
        [("n\\xff\\xfen", b"2")],
        [("also", b"3")],
    ]
