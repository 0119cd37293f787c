"""Records of a `<topic>.dlq` topic: dead letters, and the markers of those that were redriven.

    letter   headers streamrec-reason, -detail, -topic, -partition, -offset, then the record's own; its key and value
    marker   header  streamrec-redriven: <offset of the letter, same partition>; no key, no value

A letter is told from a marker by its reason. Ours are the first headers of their names: a record may bring its own.
A letter too long to be set aside whole has its lengths in streamrec-key-bytes and -value-bytes, behind all others.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ..contracts.records import TOPICS, Record

DEAD_LETTER_TOPICS = ("articles", *TOPICS)  # each has its `.dlq`
REDRIVEN_HEADER = "streamrec-redriven"  # a marker: offset of the letter
REDRIVEN_FROM_HEADER = "streamrec-redriven-from"  # a record written back: <dlq topic>/<partition>/<offset> <reason>
_OURS = frozenset(f"streamrec-{name}" for name in ("reason", "detail", "topic", "partition", "offset"))
_DIGITS = 19  # of any number that is ours; int() refuses very long ones

Headers = tuple[tuple[str, bytes], ...]


class Place(NamedTuple):
    """Where a letter lies."""

    topic: str  # without prefix and `.dlq`
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}.dlq/{self.partition}/{self.offset}"


class Origin(NamedTuple):
    """Where the record lay; numbers are -1 where the letter does not say."""

    topic: str  # full name
    partition: int
    offset: int

    def __str__(self) -> str:
        return f"{self.topic}/{self.partition}/{self.offset}"


class Letter(NamedTuple):
    """A record that was set aside."""

    place: Place
    at_ms: int  # when it was set aside
    reason: str
    detail: str
    origin: Origin
    own: Headers  # the record's own headers: its trail
    key: bytes | None
    value: bytes | None
    cut: str = ""  # what of it is missing
    redriven_ms: tuple[int, ...] = ()  # when it was redriven, each time

    @property
    def is_open(self) -> bool:
        """It was never redriven."""
        return not self.redriven_ms


class Marker(NamedTuple):
    """Says that a letter was redriven."""

    of: Place
    at_ms: int


def parse(topic: str, partition: int, record: Record) -> Letter | Marker | None:
    """A record of `<topic>.dlq`; None if nothing of ours wrote it."""
    ours: dict[str, str] = {}
    rest: list[tuple[str, bytes]] = []
    for name, value in record.headers:
        if name in _OURS and name not in ours:
            ours[name] = value.decode("utf-8", "backslashreplace")
        else:
            rest.append((name, value))
    if "streamrec-reason" not in ours:
        offset = _number(dict(rest).get(REDRIVEN_HEADER))
        return Marker(Place(topic, partition, offset), record.timestamp) if offset >= 0 else None
    cut = _cut(rest, record)
    return Letter(
        Place(topic, partition, record.offset),
        record.timestamp,
        ours["streamrec-reason"],
        ours.get("streamrec-detail", ""),
        Origin(
            ours.get("streamrec-topic", ""),
            _number(ours.get("streamrec-partition", "").encode()),
            _number(ours.get("streamrec-offset", "").encode()),
        ),
        tuple(rest[: len(rest) - len(cut)]),
        record.key,
        record.value,
        ", ".join(cut),
    )


def _number(text: bytes | None) -> int:
    return int(text) if text and text.isdigit() and len(text) <= _DIGITS else -1


def _cut(headers: Sequence[tuple[str, bytes]], record: Record) -> list[str]:
    """What was cut, and to how many bytes; the worker puts one header for each behind all others."""
    last = dict(headers)
    lengths = {name: _number(last.get(f"streamrec-{name}-bytes")) for name in ("key", "value")}
    parts = {"key": record.key or b"", "value": record.value or b""}
    return [
        f"{name} of {lengths[name]} bytes was cut to {len(part)}"
        for name, part in parts.items()
        if lengths[name] > len(part)
    ]
