"""What the users who got a push had said they want: no push against what is certain of it.

A patch is certain for pushes that an owner made who had to know it (pushes_against_events.py: taken in, or in time).
One that may or may not have been known leaves the pushes of its time unjudged, as do patches that came late, by their
own time, or to another partition. The topic is compacted after a week: what was said before and is gone is not judged.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple

from ...contracts.decode import Origin, Typed, decode_preferences
from ...contracts.ids import key_of
from ...contracts.partitioner import partition_of
from ...contracts.preferences import Patch
from ...contracts.records import Record, first_headers, header_number
from ...engine.profiles.statements import NOTHING, Said, merged
from ...engine.profiles.zones import is_zone
from ...worker.recovery.dead_letter_index import DeadLetterIndex
from .pushes import Pushes

LATE_MS = 60_000
HOURS = {"quiet_hours", "zone"}


class Stated(NamedTuple):
    """A patch, and when it was appended."""

    appended_ms: int
    patch: Patch


class Preferences:
    """Take every record of `preferences`, after pushes and dead letters."""

    def __init__(self, partitions: int, pushes: Pushes) -> None:
        self.stated: dict[int, list[Stated]] = {}  # user -> patches in their order
        self.unsure: set[int] = set()  # users of whom a patch came late, or elsewhere, or was set aside
        self.consents: set[int] = set()  # users who spoke of consent here
        self.own_hours: set[int] = set()  # users who ever spoke of quiet hours or a zone
        self._partitions, self._index = partitions, pushes.index
        self._set_aside: dict[int, DeadLetterIndex] = {}  # by partition

    def take_dead_letters(self, records: Sequence[Record]) -> None:
        """Records of `preferences.dlq`: what was set aside was not applied."""
        for record in records:
            said = first_headers(record)
            partition, offset = (header_number(said.get(f"streamrec-{name}")) for name in ("partition", "offset"))
            self._set_aside.setdefault(partition, DeadLetterIndex()).add(offset, record)

    def take(self, partition: int, records: Sequence[Record]) -> None:
        """Take records of one partition of `preferences`, in order."""
        gone = self._set_aside[partition].named(records) if partition in self._set_aside else set()
        for item in decode_preferences(records, Origin("preferences", partition), is_zone):
            if not isinstance(item, Typed) or (user := self._index.get(item.value.user_id)) is None:
                continue
            patch = item.value
            home = partition_of(patch.user_id, self._partitions)
            if home != partition or item.offset in gone or patch.at_ms < item.appended_ms - LATE_MS:
                self.unsure.add(user)
            self.stated.setdefault(user, []).append(Stated(item.appended_ms, patch))
            if patch.said.get("consent") is not None:
                self.consents.add(user)
            if HOURS & patch.said.keys():
                self.own_hours.add(user)

    def certain(self, user: int, created_ms: int, known_ms: Callable[[int], int], skew_ms: int) -> Said | None:
        """What had been said for certain when a push was made; None where that cannot be told.

        `known_ms(appended_ms)`: pushes made later than that knew a patch which was appended then.
        """
        said = NOTHING
        for appended_ms, patch in self.stated.get(user, []):
            if known_ms(appended_ms) < created_ms:
                said = merged(said, patch)
            elif appended_ms <= created_ms + skew_ms:
                return None
        return None if user in self.unsure else said


def is_against(said: Said, names: Mapping[str, Collection[int]], is_breaking: bool, *, events_say: bool) -> bool:
    """Whether a push is against what its reader wants. `names`: keys of what its article has, by kind, as far as known.

    `events_say`: there are events that spoke of consent, too, and nobody knows which came first.
    """
    level = said.value("level")
    if level == "none" or (level == "breaking" and not is_breaking):
        return True
    if said.value("consent") is False and not events_say:
        return True
    return any(key_of(name) in keys for kind, keys in names.items() for name in said.names(kind, "mute"))
