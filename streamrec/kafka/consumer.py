r"""aiokafka's consumer, for which the name of a header may be any bytes.

Java's clients send UTF-8, others what they are given, and brokers look at neither. aiokafka raises on the first name it
cannot decode, at each attempt: one such record would end every worker in turn. Here it is read with what is no UTF-8
written out (`\xff`), by aiokafka's own reader in Python; all others are read by the fast one, as ever.

Importing this is enough for every consumer of the process, Faust's included; whoever reads topics that others write
imports `AIOKafkaConsumer` from here. The private names are listed in tests/worker/test_private_names.py.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.memory_records import MemoryRecords

__all__ = ["AIOKafkaConsumer"]

LENGTH = slice(8, 12)  # of a batch, of any version, without the 12 bytes up to here


class _Lenient(bytearray):
    """Bytes of which every part can be decoded."""

    def __getitem__(self, at: Any) -> Any:
        part = super().__getitem__(at)
        return _Lenient(part) if isinstance(at, slice) else part

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)


class _Batch:
    """One batch: read fast, and from the record on for which that fails, leniently."""

    def __init__(self, batch: Any, data: memoryview) -> None:
        self._batch, self._data = batch, data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        read = 0
        try:
            for record in self._batch:
                yield record
                read += 1
        except UnicodeDecodeError:
            yield from islice(self._leniently(), read, None)

    def _leniently(self) -> Iterator[Any]:
        batch = _DefaultRecordBatchPy(self._data)
        batch._maybe_uncompress()
        batch._buffer = _Lenient(batch._buffer)
        return iter(batch)


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


fetcher.MemoryRecords = _Records
