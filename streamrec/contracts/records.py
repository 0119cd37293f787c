"""Raw records as they come off a topic, watermarks, strays, and dead letters.

Everything here is plain data: a Kafka record (aiokafka's ConsumerRecord) fits `Record` as it is, and replay and tests
use `RawRecord`. What cannot become a typed record becomes a `DeadLetter`: never an exception, never silence.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol, Self, get_args

from .limits import EARLIEST_MS

WATERMARK_HEADER = "streamrec-watermark"
MS_DIGITS = 13  # of a time in ms, until 2286
OFFSET_DIGITS = 19  # of the largest
REROUTED_HEADER = "streamrec-rerouted-from"  # topic/partition/offset a stray came from

APPENDED_HEADER = "streamrec-first-appended"  # of a record that was set aside once: when it was appended first, in ms

Topic = Literal[
    "control", "erasure", "preferences", "catalog", "rerouted", "events"
]  # what a partition reads (inputs.py), without prefix
TOPICS: tuple[Topic, ...] = get_args(Topic)

RejectReason = Literal[
    "empty_value",  # a tombstone where the topic has no meaning for one
    "undecodable",  # no JSON, or in no encoding that is certain
    "invalid",  # a field is missing, has the wrong type or is outside its range
    "too_large",  # above the size limit of one record
    "unreadable_key",  # a tombstone of whose key nobody can be sure: its article lives on
    "in_future",  # an event more than five minutes, an article more than a year after it was appended
    "misrouted",  # re-keyed once and again in the wrong partition: the partition count is not what it was
    "unreadable_batch",  # stands for a whole batch that does not decompress into what is allowed
    "processing_error",  # apply() raised on this record
]
REJECT_REASONS: tuple[RejectReason, ...] = get_args(RejectReason)


class RejectedError(Exception):
    """Raised where a record becomes a dead letter; `detail` names the field, never its content."""

    def __init__(self, reason: RejectReason, detail: str) -> None:
        self.reason: RejectReason = reason
        self.detail = detail


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
    def headers(self) -> Sequence[tuple[str, bytes]]:
        """Kafka allows a value to be null, whatever this type says."""
        ...


class RawRecord(NamedTuple):
    """A record without a broker: replay, simulation, tests."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class UnreadableBatch(bytes):
    """The empty value of a record that stands for all of a batch that cannot be read (kafka/consumer.py).

    As a type, so that no producer can write one. `said`: its offsets, how large it is, and how large it may be.
    """

    said: str

    def __new__(cls, said: str) -> Self:
        """Empty bytes that know more."""
        value = super().__new__(cls)
        value.said = said
        return value


class DeadLetter(NamedTuple):
    """A record set aside; goes to `<topic>.dlq` with its origin in the headers and its bytes untouched."""

    topic: str
    partition: int
    offset: int
    reason: RejectReason
    detail: str  # which field, never its content
    key: bytes | None
    value: bytes | None
    trail: Sequence[tuple[str, bytes]] = ()  # the record's own headers

    def headers(self) -> list[tuple[str, bytes]]:
        """Reason and origin as Kafka headers, then the record's own."""
        origin = {"topic": self.topic, "partition": str(self.partition), "offset": str(self.offset)}
        return [
            (f"streamrec-{name}", text.encode())
            for name, text in {"reason": self.reason, "detail": self.detail, **origin}.items()
        ] + list(self.trail)


class Stray(NamedTuple):
    """An event of a user who lives in another partition: goes there through the `rerouted` topic, once."""

    offset: int
    partition: int  # where the user lives
    user_id: str
    value: bytes | None
    timestamp: int  # ms, of the first append
    headers: Sequence[tuple[str, bytes]]


def first_headers(record: Record) -> dict[str, bytes]:
    """Headers by name, the first of each: in a dead letter that is ours, and the record may have brought another."""
    return dict(reversed(record.headers))


def header_number(said: str | bytes | None, digits: int = OFFSET_DIGITS) -> int:
    """What a header says, which anybody may have written; -1 if it is no number of at most so many digits.

    Longer ones do not fit into columns of 64 bits, and int() refuses very long ones.
    """
    return int(said) if said and len(said) <= digits and said.isascii() and said.isdigit() else -1


def first_appended_ms(record: Record) -> int:
    """When a record was first appended, in ms: what was set aside and redriven was said then, not when it came back.

    Anybody may write the header, so it makes a record older at most, as its own time does.
    """
    said = header_number(first_headers(record).get(APPENDED_HEADER), MS_DIGITS) if record.headers else -1
    return min(max(said, EARLIEST_MS), record.timestamp) if said >= 0 else record.timestamp


def latest_said_ms(record: Record, reference_ms: int | None) -> int:
    """When what a record says was said at the latest, in ms; `reference_ms`: of a replay's event time."""
    return first_appended_ms(record) if reference_ms is None else max(reference_ms, EARLIEST_MS)


def watermark_headers(at_ms: int) -> list[tuple[str, bytes]]:
    """Headers of the empty record that says: nothing older than `at_ms` follows in this partition."""
    return [(WATERMARK_HEADER, str(at_ms).encode())]


def watermark_of(record: Record) -> int | None:
    """Event time a watermark record carries in ms, None for any other record, whatever stands in its headers."""
    if record.value:
        return None  # an article or event that brings the header is still one
    for name, value in record.headers:
        if name == WATERMARK_HEADER and (at_ms := header_number(value, MS_DIGITS)) >= 0:
            return at_ms
    return None
