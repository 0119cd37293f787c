"""Record batches that are small as they are sent, and larger than anybody can bear when they are decompressed."""

from collections.abc import Sequence

from aiokafka.record.default_records import DefaultRecordBatchBuilder

CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def batch_of(values: Sequence[bytes], codec: str, at_ms: int = 7) -> bytes:
    """A batch with these values, from offset 0 on, as a producer sends it."""
    builder = DefaultRecordBatchBuilder(2, CODECS.get(codec, 0), 0, -1, -1, -1, 2**30)
    for number, value in enumerate(values):
        builder.append(number, at_ms, b"key", value, [])
    return bytes(builder.build())
