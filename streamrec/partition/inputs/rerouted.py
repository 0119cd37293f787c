"""Rerouted: records of readers that came to another partition, sent on to this one. Each is read as it was there."""

from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ...contracts.decode import Item, Origin, Typed
from ...contracts.inputs import STRAYING
from ...contracts.records import REROUTED_HEADER, Record, Topic, first_headers
from .reading import Reading

if TYPE_CHECKING:
    from ..changes import Changes
    from ..partition import Partition

_READINGS: dict[Topic, Reading] = {name: import_module(f"{__package__}.{name}").READING for name in STRAYING}
_OF_VALUES = {reading.value: reading for reading in _READINGS.values()}
assert len(_OF_VALUES) == len(_READINGS), "each input from which records are sent on has a type of its own"


def came_from(record: Record) -> Topic:
    """The input a record was sent on from: the full name in its header ends with it; events, where nothing is said."""
    full = first_headers(record).get(REROUTED_HEADER, b"").decode(errors="replace").rsplit("/", 2)[0]
    return next((name for name in STRAYING if full.endswith(name)), "events")


def decode(records: Sequence[Record], origin: Origin, reference_ms: int | None) -> Sequence[Item[Any]]:
    """Items in the order of the records; nearly always all are events."""
    named = [came_from(record) for record in records]
    if set(named) <= {"events"}:
        return _READINGS["events"].decode(records, origin, reference_ms)
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
            yield from _OF_VALUES[type(typed[start].value)].apply(partition, typed[start:end], now_ms, changes)
            start = end


READING = Reading(decode, apply)
