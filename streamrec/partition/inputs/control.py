"""Control: commands of editors and operators, each in every partition."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ...contracts.control import Command
from ...contracts.decode import Item, Origin, Typed, decode_control
from ...contracts.records import Record
from .reading import Reading

if TYPE_CHECKING:
    from ..changes import Changes
    from ..partition import Partition


def decode(records: Sequence[Record], origin: Origin, reference_ms: int | None) -> list[Item[Command]]:
    """Commands, none of them ahead of its append."""
    return decode_control(records, origin, reference_ms)


def apply(partition: "Partition", typed: list[Typed[Any]], now_ms: int, changes: "Changes") -> Iterator["Changes"]:
    """All of a batch together; what follows from them is done in steps, or here where the partition does that."""
    partition.command(typed, now_ms, changes)
    if partition.at_once:
        yield from partition.work_off(now_ms)


READING = Reading(decode, apply)
