r"""aiokafka's consumer, which no record batch ends, whatever whoever may write to a topic puts into it.

The name of a header may be any bytes. Java's clients send UTF-8, others what they are given, and brokers look at
neither. aiokafka raises on the first name it cannot decode, at each attempt: one such record would end every worker in
turn. Here it is read with what is no UTF-8 written out (`\xff`), by aiokafka's own reader in Python; all others are
read by the fast one, as ever.

A batch is decompressed here, within a limit (decompression.py). For one that goes beyond there is one record at the
offset of its last, whose value says what it was: it is set aside, counted and passed as any other bad record.

Importing this is enough for every consumer of the process, Faust's included; whoever reads topics that others write
imports `AIOKafkaConsumer` from here. The private names are listed in tests/worker/test_private_names.py.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

from ..contracts.records import UnreadableBatch
from .decompression import MOST_BYTES, TooLargeError, codec_of, decompressed

__all__ = ["AIOKafkaConsumer", "as_read"]

LENGTH = slice(8, 12)  # of a batch, of any version, without the 12 bytes up to here
VERSION_AT = 16


class _Lenient(bytearray):
    """Bytes of which every part can be decoded."""

    def __getitem__(self, at: Any) -> Any:
        part = super().__getitem__(at)
        return _Lenient(part) if isinstance(at, slice) else part

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)


class _StandsForAll(NamedTuple):
    """A record as aiokafka's, in place of those of a batch."""

    offset: int
    timestamp: int
    timestamp_type: int
    value: UnreadableBatch
    key: None = None
    checksum: None = None
    headers: tuple[()] = ()


class _Batch:
    """One batch: decompressed within a limit, read fast, and leniently from the record on for which that fails."""

    def __init__(self, batch: Any, data: memoryview) -> None:
        self._batch, self._data = batch, data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        batch, data = self._batch, self._data
        if data[VERSION_AT] > 1 and codec_of(data):  # no broker since 4.0 keeps or takes others
            try:
                data = decompressed(data)
            except TooLargeError:
                yield self._stands_for_all()
                return
            batch = DefaultRecordBatch(data)
        records: list[Any] = []
        try:
            records.extend(batch)
        except UnicodeDecodeError:  # those before it are there
            lenient = _DefaultRecordBatchPy(data)
            lenient._buffer = _Lenient(lenient._buffer)
            records.extend(islice(lenient, len(records), None))
        yield from records

    def _stands_for_all(self) -> _StandsForAll:
        batch, last = self._batch, self._batch.next_offset - 1
        said = (
            f"offsets {batch.base_offset} to {last} are one batch, whose {len(self._data)} bytes of"
            f" {codec_of(self._data)} do not decompress into {MOST_BYTES} bytes"
        )
        return _StandsForAll(last, batch.max_timestamp, batch.timestamp_type, UnreadableBatch(said))


class _Records:
    """The batches of one fetched partition, each readable whatever the names of its headers are."""

    def __init__(self, data: bytes) -> None:
        self._records, self._data, self._at = MemoryRecords(data), memoryview(data), 0

    def size_in_bytes(self) -> int:
        return int(self._records.size_in_bytes())

    def has_next(self) -> bool:
        return bool(self._records.has_next())

    def next_batch(self) -> _Batch | None:
        batch, start = self._records.next_batch(), self._at
        if batch is None:
            return None
        head = self._data[start : start + LENGTH.stop]
        self._at += LENGTH.stop + int.from_bytes(head[LENGTH], "big")
        return _Batch(batch, self._data[start : self._at])


def as_read(key: bytes | None) -> bytes | None:
    """Of a consumer with this `key_deserializer`: records have no topic or partition, and cost a third as much."""
    return key


class _PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    def __iter__(self) -> Iterator[Any]:
        return self._records_iterator or iter(())

    def _consumer_record(self, tp: Any, record: Any) -> Any:
        return record if self._key_deserializer is as_read else super()._consumer_record(tp, record)


fetcher.MemoryRecords = _Records
fetcher.PartitionRecords = _PartitionRecords
