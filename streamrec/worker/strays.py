"""What our readers said, and what still stands in the `events` and `preferences` of partitions they do not live in.

Producers that hash keys in another way put a record anywhere, and whoever owns that partition sends it on through
`rerouted` (partition/intake.py). So whether a partition knows all that its readers have said depends on how far the
others are. The group's offsets say that; they follow what is committed.

takeover   A partition that is taken over waits until every partition has applied these inputs up to where they ended
           then: what strayed stands in `rerouted` from there on.
live       Where some partition has left a readable record of them unapplied for longer than
           STREAMREC_MAX_PUSH_LAG_S, every partition holds its pushes back, and goes on as after a takeover. So it does
           where for so long nobody has told how far the others are.

Where nothing has ever been sent on nobody waits for anybody.

The price: where events stray, one long backlog delays everybody's pushes until it is applied and the group has said so,
and one partition without an owner stops them. With two partitions and 50,000 events waiting in one, the other's first
push left 2.9 s after the start, against 1.4 s where nothing had strayed (means of two each, in turn, on two busy
cores). A producer that hashes keys by murmur2 spares the deployment both.

A stray is in time twice: for so long in the partition it came to, then in `rerouted`, where it counts from its first
append once it is handed over, and as any undelivered record until then.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import NamedTuple

from aiokafka.errors import KafkaError as ClientError

from ..clock import monotonic_s
from ..contracts.inputs import STRAYING
from ..errors import KafkaError
from ..kafka.log import Log
from ..observability.metrics import HoldReason
from ..settings import Settings
from .fetching.fetch_lag import FetchLag, FetchProgress
from .fetching.group_progress import GroupProgress, Place, group_progress
from .writing.catch_up import readable_end

log = logging.getLogger(__name__)

WAIT_S = 0.3  # between two looks of those who wait
LOOK_S = 1.0  # between two looks at how far the others are
FOLLOW_S = 3.0  # a partition that keeps up may seem to be so far behind: commits are told once a second, and seen so


class Late(NamedTuple):
    """A partition whose owner is behind in an input: by how many records, and since how many seconds."""

    place: Place
    records: int
    seconds: float

    def __str__(self) -> str:
        waited = f", the oldest for {self.seconds:.0f} s" if self.seconds else ""
        topic, partition = self.place
        return f"{topic}-{partition} is behind by {self.records} records{waited}"


class Strays:
    """Asks how far a deployment has read what may be strays; one in each process. Implements catch_up.Others."""

    def __init__(self, settings: Settings, log: Log) -> None:
        self._settings, self._log = settings, log
        self._asked = self._answered = 0
        self._busy = asyncio.Lock()
        self._most_s = max(settings.max_push_lag_s, FOLLOW_S)
        self._exist = False  # something was sent on once
        self._left: list[Late] = []  # whom a takeover waits for
        self._late: list[Late] = []  # who is further behind than pushes allow
        self._heard_s: float | None = None  # when that was known last
        self._unapplied: FetchLag | None = None
        self._nothing_until: dict[Place, int] = {}  # only markers stand between what is applied and this
        self._something_at: dict[Place, int] = {}  # a record stands before this

    def why(self) -> str:
        """Which partition is furthest behind, in words; empty if none is."""
        late = self._late or self._left
        return str(max(late, key=lambda each: (each.seconds, each.records))) if late else ""

    # --- takeover -----------------------------------------------------------------------------------------------------

    async def sent_on(self) -> None:
        """Wait until every stray in the inputs, as they are now, has been sent on; raises where brokers are away.

        Partitions that ask at the same time are answered together.
        """
        self._asked = mine = self._asked + 1
        async with self._busy:
            if self._answered < mine:
                answers = self._asked
                try:
                    await self._sent_on()
                finally:
                    self._left = []
                self._answered = answers

    async def _sent_on(self) -> None:
        async with group_progress(self._settings, "read_uncommitted") as group:
            if not any((await group.end_offsets("rerouted")).values()):
                return
            self._exist = True
            ends = await group.end_offsets(*STRAYING)
            until = await self._readable(ends, await group.committed_offsets(*STRAYING))
            while until and (left := _behind(until, await group.committed_offsets(*STRAYING))):
                self._left = left
                await asyncio.sleep(WAIT_S)

    async def _readable(self, ends: Mapping[Place, int], applied: Mapping[Place, int]) -> dict[Place, int]:
        """Up to where there is something to apply: a marker is passed over, and no offset of the group follows it."""
        async with self._log.reader() as reader:
            return {
                (topic, number): await readable_end(
                    reader, self._settings.topic(topic), number, applied[topic, number], ends[topic, number]
                )
                for (topic, number), _, _ in _behind(ends, applied)
            }

    # --- live ---------------------------------------------------------------------------------------------------------

    async def too_late(self) -> HoldReason:
        """Wait until somebody is further behind than pushes allow, or nobody knows."""
        while True:
            if self._late:
                return "strays"
            if self._exist and self._heard_s is not None and monotonic_s() - self._heard_s > self._most_s:
                return "unknown"
            await asyncio.sleep(WAIT_S)

    async def watch(self) -> None:
        """For ever: look how far everybody is. While brokers are away that is not known."""
        self._heard_s, told = monotonic_s(), False
        while True:
            try:
                async with group_progress(self._settings, "read_committed") as group:
                    while True:
                        await self._look(group)
                        self._heard_s, told = monotonic_s(), False
                        await asyncio.sleep(LOOK_S)
            except (KafkaError, ClientError, OSError) as error:
                if not told:
                    log.warning("how far other partitions are is not known: %r", error)
                told = True
                await asyncio.sleep(LOOK_S)

    async def _look(self, group: GroupProgress) -> None:
        if self._unapplied is None and not any((await group.end_offsets("rerouted")).values()):
            return
        self._exist = True
        is_first, self._unapplied = self._unapplied is None, self._unapplied or FetchLag()
        ends, applied = await group.end_offsets(*STRAYING), await group.committed_offsets(*STRAYING)
        at_s, late = monotonic_s(), []
        # what stood there before the first look has waited nobody knows how long
        noted_s = at_s - self._most_s - LOOK_S if is_first else at_s
        for place, end in ends.items():
            done = max(applied[place], self._nothing_until.get(place, 0))
            self._unapplied.note(*place, FetchProgress(done, end), noted_s)
            seconds = self._unapplied.seconds_of(*place, at_s)
            if seconds > self._most_s and await self._is_something(place, applied[place], self._unapplied):
                late.append(Late(place, end - applied[place], seconds))
        self._late = late

    async def _is_something(self, place: Place, applied: int, unapplied: FetchLag) -> bool:
        """Whether what has waited longest is a record: a marker is never applied."""
        if self._something_at.get(place, 0) > applied:
            return True
        name, number = place
        end = unapplied.oldest(*place)
        async with self._log.reader() as reader:
            last = await readable_end(reader, self._settings.topic(name), number, applied, end)
        if last > applied:
            self._something_at[place] = last
        else:
            self._nothing_until[place] = end
        return last > applied


def _behind(until: Mapping[Place, int], applied: Mapping[Place, int]) -> list[Late]:
    return [Late(place, to - applied[place], 0.0) for place, to in until.items() if to > applied[place]]
