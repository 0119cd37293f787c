"""Events: what readers did. They teach, and push nothing by themselves."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from ...contracts.decode import Item, Origin, Typed, decode_events
from ...contracts.event import SAYS_NO, UserEvent
from ...contracts.records import Record
from ...engine.profiles.zones import is_zone
from .reading import Reading

if TYPE_CHECKING:
    from ..changes import Changes
    from ..partition import Partition


def decode(records: Sequence[Record], origin: Origin, reference_ms: int | None) -> list[Item[UserEvent]]:
    """User events, with zones of the zone database."""
    return decode_events(records, origin, is_zone, reference_ms)


def apply(partition: "Partition", typed: list[Typed[Any]], now_ms: int, changes: "Changes") -> Iterator["Changes"]:
    """All of a batch together."""
    partition.learn(typed, changes)
    return iter(())


def shortest(event: UserEvent) -> bytes | None:
    """A no gets there, without what is wrong with it."""
    return msgspec.json.encode(event) if event.action in SAYS_NO else None


READING = Reading(decode, apply, shortest, UserEvent)
