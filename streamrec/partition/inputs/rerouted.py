"""Rerouted: records of readers that came to another partition, sent on to this one. Each is read as it was there."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ...contracts.decode import Item, Origin, Typed
from ...contracts.erasure import Erasure
from ...contracts.inputs import STRAYING
from ...contracts.preferences import Patch
from ...contracts.records import REROUTED_HEADER, Record, Topic, first_headers
from . import erasure, events, preferences
from .reading import Reading

if TYPE_CHECKING:
    from ..changes import Changes
    from ..partition import Partition

_READINGS: dict[Topic, Reading] = {
    "events": events.READING,
    "preferences": preferences.READING,
    "erasure": erasure.READING,
}
assert _READINGS.keys() == set(STRAYING), "a reading for each input from which records are sent on"


def came_from(record: Record) -> Topic:
    """The input a record was sent on from: the full name in its header ends with it; events, where nothing is said."""
    full = first_headers(record).get(REROUTED_HEADER, b"").decode(errors="replace").rsplit("/", 2)[0]
    return next((name for name in STRAYING if full.endswith(name)), "events")


def decode(records: Sequence[Record], origin: Origin, reference_ms: int | None) -> Sequence[Item[Any]]:
    """Items in the order of the records; nearly always all are events."""
    named = [came_from(record) for record in records]
    if set(named) <= {"events"}:
        return events.READING.decode(records, origin, reference_ms)
    found: list[Item[Any]] = []
    for name in dict.fromkeys(named):
        mine = [record for record, its in zip(records, named, strict=True) if its == name]
        found += _READINGS[name].decode(mine, origin, reference_ms)
    return sorted(found, key=lambda item: item.offset)


def apply(partition: "Partition", typed: list[Typed[Any]], now_ms: int, changes: "Changes") -> Iterator["Changes"]:
    """Runs of one kind, in order."""
    start = 0
    for end in range(1, len(typed) + 1):
        if end == len(typed) or type(typed[end].value) is not type(typed[start].value):
            yield from _reading_of(typed[start].value).apply(partition, typed[start:end], now_ms, changes)
            start = end


def _reading_of(value: Any) -> Reading:
    if isinstance(value, Erasure):
        return erasure.READING
    return preferences.READING if isinstance(value, Patch) else events.READING


READING = Reading(decode, apply)
