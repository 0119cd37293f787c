"""Erasure: readers who are to be forgotten."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from ...contracts.decode import Item, Origin, Typed, decode_erasures
from ...contracts.erasure import Erasure
from ...contracts.records import Record
from .reading import Reading

if TYPE_CHECKING:
    from ..changes import Changes
    from ..partition import Partition


def decode(records: Sequence[Record], origin: Origin, reference_ms: int | None) -> list[Item[Erasure]]:
    """Requests to forget a reader."""
    return decode_erasures(records, origin, reference_ms)


def apply(partition: "Partition", typed: list[Typed[Any]], now_ms: int, changes: "Changes") -> Iterator["Changes"]:
    """One after the other."""
    for item in typed:
        partition.erase(item.value, changes)
    return iter(())


def shortest(erasure: Erasure) -> bytes | None:
    """It gets there, without what else the record holds."""
    return msgspec.json.encode(erasure)


READING = Reading(decode, apply, shortest, Erasure)
