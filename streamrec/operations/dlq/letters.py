"""Records of a `<topic>.dlq` topic: dead letters, and the markers of those that were redriven.

    letter   headers streamrec-reason, -detail, -topic, -partition, -offset, then the record's own; its key and value
    marker   header  streamrec-redriven: <offset of the letter, same partition>; no key, no value

A letter is told from a marker by its reason. Ours are the first headers of their names: a record may bring its own.
A letter of the reason unreadable_batch stands for the records its detail names, and holds none.
A letter too long to be set aside whole has the lengths it had in streamrec-key-bytes, -value-bytes and -headers-bytes.

And which letters a person means (`Choice`), and how many there are of each kind (`groups`).
"""

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from ...contracts.record_size import headers_bytes, record_bytes
from ...contracts.records import TOPICS, Record, header_number

DEAD_LETTER_TOPICS = ("articles", *TOPICS)  # each has its `.dlq`
REDRIVEN_HEADER = "streamrec-redriven"  # a marker: offset of the letter
REDRIVEN_FROM_HEADER = "streamrec-redriven-from"  # a record written back: <dlq topic>/<partition>/<offset> <reason>
_LENGTHS = ("key-bytes", "value-bytes", "headers-bytes")
_OURS = frozenset(f"streamrec-{name}" for name in ("reason", "detail", "topic", "partition", "offset", *_LENGTHS))
_WAS = {"key": "was", "value": "was", "headers": "were"}

Headers = tuple[tuple[str, bytes], ...]


class Place(NamedTuple):
    """Where a letter lies, written like events.dlq/3/17."""

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
    """A dead letter: the record that was set aside, why, and where it came from."""

    place: Place
    at_ms: int  # when it was set aside
    reason: str
    detail: str
    origin: Origin
    own: Headers  # the record's own headers: its trail
    key: bytes | None
    value: bytes | None
    size: int = 0  # of key, value and own headers as a record, in bytes
    cut: str = ""  # what of it is missing
    redriven_ms: tuple[int, ...] = ()  # when it was redriven, each time

    @property
    def is_open(self) -> bool:
        """Whether the letter was never redriven."""
        return not self.redriven_ms


class Marker(NamedTuple):
    """A record in `*.dlq` that says that the letter at a place was redriven."""

    of: Place
    at_ms: int


def parse(topic: str, partition: int, record: Record) -> Letter | Marker | None:
    """A record of `<topic>.dlq`; None if nothing of ours wrote it."""
    ours: dict[str, str] = {}
    rest: list[tuple[str, bytes]] = []
    for name, value in record.headers:
        if name in _OURS and name not in ours:
            ours[name] = (value or b"").decode("utf-8", "backslashreplace")  # null, if nothing of ours wrote it
        else:
            rest.append((name, value))
    if "streamrec-reason" not in ours:
        offset = header_number(dict(rest).get(REDRIVEN_HEADER))
        return Marker(Place(topic, partition, offset), record.timestamp) if offset >= 0 else None
    return Letter(
        Place(topic, partition, record.offset),
        record.timestamp,
        ours["streamrec-reason"],
        ours.get("streamrec-detail", ""),
        Origin(
            ours.get("streamrec-topic", ""),
            header_number(ours.get("streamrec-partition")),
            header_number(ours.get("streamrec-offset")),
        ),
        tuple(rest),
        record.key,
        record.value,
        record_bytes(record.key, record.value, rest),
        _cut(ours, {"key": len(record.key or b""), "value": len(record.value or b""), "headers": headers_bytes(rest)}),
    )


def _cut(ours: Mapping[str, str], now: Mapping[str, int]) -> str:
    if ours["streamrec-reason"] == "unreadable_batch":
        return ours.get("streamrec-detail", "")  # it has no record: these offsets
    had = {part: header_number(ours.get(f"streamrec-{part}-bytes")) for part in now}
    cut = [part for part in now if had[part] > now[part]]
    return ", ".join(f"{part} of {had[part]} bytes {_WAS[part]} cut to {now[part]}" for part in cut)


class Choice(NamedTuple):
    """What a person asked for; an empty collection or None asks for nothing in particular."""

    topics: Collection[str] = ()  # without prefix and `.dlq`
    reasons: Collection[str] = ()
    since_ms: int | None = None  # set aside then or later
    redriven: bool | None = None  # True: only those; False: only open ones

    def takes(self, letter: Letter) -> bool:
        """Whether a letter meets every condition of the choice."""
        return (
            (not self.topics or letter.place.topic in self.topics)
            and (not self.reasons or letter.reason in self.reasons)
            and (self.since_ms is None or letter.at_ms >= self.since_ms)
            and (self.redriven is None or letter.is_open != self.redriven)
        )


class Group(NamedTuple):
    """How many letters of one topic and reason there are, and from when."""

    topic: str
    reason: str
    letters: int
    open: int  # never redriven
    oldest_ms: int
    newest_ms: int


def groups(letters: Iterable[Letter]) -> list[Group]:
    """Counts by topic and reason, in this order; every letter is in one group."""
    found: dict[tuple[str, str], Group] = {}
    for letter in letters:
        name, at_ms = (letter.place.topic, letter.reason), letter.at_ms
        known = found.get(name, Group(*name, 0, 0, at_ms, at_ms))
        found[name] = Group(
            *name,
            known.letters + 1,
            known.open + letter.is_open,
            min(known.oldest_ms, at_ms),
            max(known.newest_ms, at_ms),
        )
    return [found[name] for name in sorted(found)]
