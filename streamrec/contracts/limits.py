"""Bounds shared by the contracts. They are part of the JSON Schemas, so a producer can check before it sends."""

from typing import Annotated

import msgspec

MAX_ID_CHARS = 128
SHORT_TEXT_CHARS = 64
MAX_RECORD_BYTES = 256 * 1024  # one article or event, without key and headers
BATCH_BYTES = 900_000  # a record batch as we write it; Kafka's own limit is 1 MiB
MAX_EVENT_AGE_MS = 7 * 86_400_000  # against the append time
MAX_EVENT_AHEAD_MS = 5 * 60_000
MAX_SCHEDULED_MS = 366 * 86_400_000  # how far ahead an article may be scheduled
EARLIEST_MS = 1_000_000_000_000  # 2001-09-09: a value below is seconds, or a clock that was never set
LATEST_MS = 4_102_444_800_000  # 2100-01-01
VECTOR_DIMS = 64

Id = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ID_CHARS)]
ShortText = Annotated[str, msgspec.Meta(max_length=SHORT_TEXT_CHARS)]
Millis = Annotated[int, msgspec.Meta(ge=EARLIEST_MS, le=LATEST_MS)]
OptionalMillis = Annotated[int, msgspec.Meta(ge=0, le=LATEST_MS)]  # 0 = not set
