"""Raw records as they come off a topic, watermarks, and dead letters.

Everything here is plain data: a Kafka record (aiokafka's ConsumerRecord) fits `Record` as it is, and replay and tests
use `RawRecord`. What cannot become a typed record becomes a `DeadLetter`: never an exception, never silence.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, get_args

WATERMARK_HEADER = "streamrec-watermark"

RejectReason = Literal[
    "empty_value",  # a tombstone where the topic has no meaning for one
    "undecodable",  # not UTF-8 JSON
    "invalid",  # a field is missing, has the wrong type or is outside its range
    "too_large",  # above the size limit of one record
    "too_old",  # happened more than seven days before it was appended
    "in_future",  # happens more than five minutes after it was appended
    "bad_embedding",  # wrong length, NaN or infinite
    "misrouted",  # the key's murmur2 partition is another one
    "processing_error",  # apply() raised on this record
]
REJECT_REASONS: tuple[RejectReason, ...] = get_args(RejectReason)


class Record(Protocol):
    """The part of a Kafka record the program reads; times in ms since 1970."""

    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class RawRecord(NamedTuple):
    """A record without a broker: replay, simulation, tests."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class DeadLetter(NamedTuple):
    """A record set aside; goes to `<topic>.dlq` with its origin in the headers and its bytes untouched."""

    topic: str
    partition: int
    offset: int
    reason: RejectReason
    detail: str  # which field, never its content
    key: bytes | None
    value: bytes | None

    def headers(self) -> list[tuple[str, bytes]]:
        """Origin and reason as Kafka headers."""
        origin = {"topic": self.topic, "partition": str(self.partition), "offset": str(self.offset)}
        return [
            (f"streamrec-{name}", text.encode())
            for name, text in {"reason": self.reason, "detail": self.detail, **origin}.items()
        ]


def watermark_headers(at_ms: int) -> list[tuple[str, bytes]]:
    """Headers of the empty record that says: nothing older than `at_ms` follows in this partition."""
    return [(WATERMARK_HEADER, str(at_ms).encode())]


def watermark_of(record: Record) -> int | None:
    """Event time a watermark record carries in ms, None for any other record."""
    for name, value in record.headers:
        if name == WATERMARK_HEADER and value.isdigit():
            return int(value)
    return None
