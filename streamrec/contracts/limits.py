"""Bounds of records, times and texts that the contracts share; JSON Schemas name them, so a producer can check."""

MAX_ID_CHARS = 128
SHORT_TEXT_CHARS = 64
MAX_RECORD_BYTES = 256 * 1024  # one article or event, without key and headers
BATCH_BYTES = 900_000  # a record batch as we write it; Kafka's own limit is 1 MiB
MAX_EVENT_AHEAD_MS = 5 * 60_000
MAX_SCHEDULED_MS = 366 * 86_400_000  # how far ahead an article may be scheduled
EARLIEST_MS = 1_000_000_000_000  # 2001-09-09: below is another unit, or a clock that was never set
LATEST_MS = 4_102_444_800_000  # 2100-01-01
LATEST_VERSION = 2**53 - 1  # JSON numbers are exact up to here; a time in ms, or even us, may be a version
VECTOR_DIMS = 64
