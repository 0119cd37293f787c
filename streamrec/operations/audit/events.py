"""What events say about the users who got a push: opt-outs, reads of pushed articles, zones.

An event counts here only if it was applied: it decodes as the worker decodes it, lies in its user's own partition, and
is not in the dead letters. Events in other partitions reach their user at a time nobody knows, so they only take
certainty away; but an opt-out among them has to be known before anybody is pushed to (worker/strays.py).
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from ...arrays import AnyArray, BoolArray, IndexArray, IntArray, UIntArray
from ...contracts.decode import Origin, Typed, decode_events
from ...contracts.event import READING, UserEvent
from ...contracts.ids import key_of
from ...contracts.partitioner import partitions_of
from ...contracts.records import REROUTED_HEADER, Record, first_headers, header_number
from ...engine.profiles.zones import is_zone
from ...worker.recovery.dead_letter_index import DeadLetterIndex
from .pushes import Pushes

CONSENTING = frozenset({"subscribe", "unsubscribe"})
NOWHERE = -1


class At(NamedTuple):
    """An event by where it lies; every one kept lies in its user's own partition, but for opt-outs."""

    partition: int
    offset: int
    appended_ms: int


class _Consent(NamedTuple):
    at_ms: int  # by the event
    is_no: bool
    reached_home: bool  # or it was set aside on its way
    at: At


class Events:
    """Take every record of `events`, after pushes, changelog and dead letters."""

    def __init__(self, partitions: int, pushes: Pushes) -> None:
        users = len(pushes.users)
        self.strays: dict[int, At] = {}  # partition -> first event in it of somebody who lives elsewhere
        self.unsure: set[int] = set()  # users with a subscribe in another partition
        self._consents: dict[int, list[_Consent]] = {}  # by user, partition after partition
        self.reads: dict[int, tuple[At | None, int]] = {}  # pair -> first read at home, number of reads
        self.zone: UIntArray = np.zeros(users, np.uint32)
        self.zone_at: IntArray = np.full((users, 3), NOWHERE, np.int64)  # `At` of the first zoned event
        self.moved: BoolArray = np.zeros(users, np.bool_)  # more than one zone was seen
        self._partitions, self._index = partitions, pushes.index
        self._set_aside = defaultdict[int, DeadLetterIndex](DeadLetterIndex)  # by partition
        self._set_aside_at_home: set[tuple[int, int]] = set()  # by where it came from
        self._pairs = np.sort(pairs(pushes.table["user"], pushes.table["article"]))

    def take_dead_letters(self, records: Sequence[Record]) -> None:
        """Records of `events.dlq` and `rerouted.dlq`: what was set aside was not applied."""
        for record in records:
            said = first_headers(record)
            partition, offset = (header_number(said.get(f"streamrec-{name}")) for name in ("partition", "offset"))
            self._set_aside[partition].add(offset, record)
            came_from = (dict(record.headers).get(REROUTED_HEADER) or b"").split(b"/")  # the last of a name is ours
            if len(came_from) == 3:
                self._set_aside_at_home.add((header_number(came_from[1]), header_number(came_from[2])))

    def take(self, partition: int, records: Sequence[Record]) -> None:
        """Take records of one partition of `events`, in order."""
        items = decode_events(records, Origin("events", partition), is_zone)
        gone = self._set_aside[partition].named(records)
        concerned = [
            item
            for item in items
            if isinstance(item, Typed) and item.value.user_id in self._index and item.offset not in gone
        ]
        homes = partitions_of([item.value.user_id for item in concerned], self._partitions) == partition
        users = np.array([self._index[item.value.user_id] for item in concerned], np.intp)
        if not homes.all():
            self.strays.setdefault(partition, _at(partition, concerned[int(homes.argmin())]))
        for i, item in enumerate(concerned):
            if item.value.action in CONSENTING:
                self._consent(int(users[i]), item.value, _at(partition, item), bool(homes[i]))
        zoned = np.array([i for i, item in enumerate(concerned) if item.value.tz], np.intp)
        self._zoned(users[zoned], homes[zoned], partition, [concerned[i] for i in zoned.tolist()])
        read = np.array([i for i, item in enumerate(concerned) if item.value.action in READING], np.intp)
        self._read(users[read], homes[read], partition, [concerned[i] for i in read.tolist()])

    def spoke_of_consent(self, user: int) -> bool:
        """Whether any event of this user did."""
        return user in self._consents

    @property
    def left(self) -> dict[int, dict[int, At]]:
        """User -> partition -> first unsubscribe after the last subscribe, by their own times.

        What is said later by its own time holds, in whatever order it came; of two at one time the opt-out.
        """
        found: dict[int, dict[int, At]] = {}
        for user, said in self._consents.items():
            subscribed_ms = max((one.at_ms for one in said if not one.is_no), default=0)
            for one in said:
                if one.is_no and one.at_ms >= subscribed_ms and one.reached_home:
                    found.setdefault(user, {}).setdefault(one.at.partition, one.at)
        return found

    def _read(self, users: IndexArray, homes: BoolArray, partition: int, items: list[Typed[UserEvent]]) -> None:
        found = pairs(users, np.array([key_of(item.value.article_id) for item in items], np.uint64))
        for i in np.flatnonzero(self._pushed(found)).tolist():
            pair = int(found[i])
            first, count = self.reads.get(pair, (None, 0))
            if first is None and homes[i]:
                first = _at(partition, items[i])
            self.reads[pair] = first, count + 1

    def _pushed(self, found: npt.NDArray[np.uint64]) -> BoolArray:
        """Pairs among those of the pushes, which are sorted; np.isin would sort them again for each batch."""
        if not len(self._pairs):
            return np.zeros(len(found), np.bool_)
        place = np.minimum(np.searchsorted(self._pairs, found), len(self._pairs) - 1)
        return np.asarray(self._pairs[place] == found)

    def _consent(self, user: int, event: UserEvent, at: At, at_home: bool) -> None:
        is_no = event.action == "unsubscribe"
        if not at_home and not is_no:
            self.unsure.add(user)
        reached_home = at_home or (at.partition, at.offset) not in self._set_aside_at_home
        self._consents.setdefault(user, []).append(_Consent(event.at_ms, is_no, reached_home, at))

    def _zoned(self, users: IndexArray, homes: BoolArray, partition: int, items: list[Typed[UserEvent]]) -> None:
        zones = np.array([key_of(item.value.tz) for item in items], np.uint32)
        np.logical_or.at(self.moved, users, (self.zone[users] != 0) & (self.zone[users] != zones))
        self.zone[users] = zones
        np.logical_or.at(self.moved, users, self.zone[users] != zones)  # two zones within these records
        first = np.flatnonzero(homes & (self.zone_at[users, 0] == NOWHERE))[::-1]  # assigned last, the earliest stays
        ats = np.array([_at(partition, items[i]) for i in first.tolist()], np.int64).reshape(len(first), 3)
        self.zone_at[users[first]] = ats


def _at(partition: int, item: Typed[UserEvent]) -> At:
    return At(partition, item.offset, item.appended_ms)


def pairs(users: AnyArray, articles: AnyArray) -> npt.NDArray[np.uint64]:
    """User and article as one number, (N,)."""
    return (users.astype(np.uint64) << np.uint64(32)) | articles.astype(np.uint64)
