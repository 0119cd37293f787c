"""Preferences: what readers say they want."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ...contracts.decode import Item, Origin, Typed, decode_preferences
from ...contracts.preferences import Patch, record_of
from ...contracts.records import Record
from ...engine.profiles.zones import is_zone
from .reading import Reading

if TYPE_CHECKING:
    from ..changes import Changes
    from ..partition import Partition


def decode(records: Sequence[Record], origin: Origin, reference_ms: int | None) -> list[Item[Patch]]:
    """Patches and tombstones, with zones of the zone database."""
    return decode_preferences(records, origin, is_zone, reference_ms)


def apply(partition: "Partition", typed: list[Typed[Any]], now_ms: int, changes: "Changes") -> Iterator["Changes"]:
    """All of a batch together."""
    partition.prefer(typed, changes)
    return iter(())


def shortest(patch: Patch) -> bytes | None:
    """What asks for less gets there, without the rest."""
    return record_of(patch) if patch.says_no else None


READING = Reading(decode, apply, shortest, Patch)
