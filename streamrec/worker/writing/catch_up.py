"""First read, then push: whether a partition knows enough of its inputs to push.

    takeover   No push leaves before the inputs are applied up to where they ended when the partition was taken over, or
               given back after a rebalance. Ends are asked for after the old owner is fenced.
    lag        None leaves while a record that should be applied has waited longer than STREAMREC_MAX_PUSH_LAG_S, known
               or not: where the ends of the inputs have not been heard of for so long, nobody knows.
    strays     None leaves while another partition is so far behind in `events` and may hold what our readers said there
               (strays.py). It ends as a takeover does: what was sent on meanwhile is applied first.

Breaking news is no exception: who unsubscribed a minute ago gets none of it either. Meanwhile records are applied and
articles taken in, which wait for their meeting (partition/article_queue.py).

An end counts open transactions and markers, which a consumer of committed records steps over, so the end of a log is
turned into the offset after the last record that can be read before it.

At a takeover, too, ends are asked for once all strays were sent on.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Protocol

from aiokafka.errors import KafkaError as ClientError

from ...contracts.records import Topic
from ...errors import KafkaError
from ...kafka.log import Log, Reader, read_all
from ...observability.metrics import HoldReason
from ..reporting.hold_log import Hold

log = logging.getLogger(__name__)

TAIL = 50  # offsets before the end, in which the last record is looked for first


class OtherPartitions(Protocol):
    """The other partitions, in whose events our readers may have said something (strays.py)."""

    async def sent_on(self) -> None:
        """Wait until every event that strayed so far was sent on to its reader; raises where brokers are away."""

    async def too_late(self) -> HoldReason:
        """Wait until an event that strayed may have waited longer than pushes allow; why they are held back then."""
        ...

    def why(self) -> str:
        """Which partition is behind, in words; "" if none is known to be."""
        ...


class CatchUp:
    """Holds one partition's pushes back while what was heard of the ends of its inputs says so."""

    def __init__(
        self,
        log: Log,
        number: int,
        topics: Mapping[Topic, str],
        max_lag_s: float,
        others: OtherPartitions | None = None,
    ) -> None:
        self.undelivered_s = 0.0  # how long a record has not been handed over, at least
        self.silence_s = 0.0  # since when nothing was heard of where the inputs end
        self.held: HoldReason | None = None  # by the last answer
        self._log, self._number, self._topics, self._max_lag_s = log, number, topics, max_lag_s
        self._others = others
        self._until: dict[Topic, int] | None = None  # of each input: to be applied up to; None: not known
        self._because: HoldReason = "taking_over"  # of waiting for that
        self._waited_s = 0.0
        self._times_forgotten = 0  # an answer to a question asked before the last one counts for nothing

    def forget(self, because: HoldReason = "taking_over") -> None:
        """Hold pushes back until it was asked anew where the inputs end, as after a rebalance."""
        self._until, self._because, self.held = None, because, because
        self._times_forgotten += 1

    async def others_are_late(self) -> bool:
        """Wait until what strayed may have waited too long, and hold pushes back from then on. False: it never will."""
        if self._others is None:
            return False
        self.forget(await self._others.too_late())
        return True

    async def ask(self, cursor: Mapping[str, int]) -> None:
        """Find where the inputs end now; as often as it takes, for brokers may be away."""
        while True:
            try:
                await self._ask(cursor)
            except (KafkaError, ClientError, OSError) as error:
                log.warning("where the inputs end is not known, and pushes are held back: %r", error)
                await asyncio.sleep(1.0)
            else:
                return

    async def _ask(self, cursor: Mapping[str, int]) -> None:
        asked = self._times_forgotten
        if self._others is not None:
            await self._others.sent_on()
        async with self._log.reader() as reader:
            ends = await reader.ends(list(self._topics.values()), self._number)
            until = {
                name: await readable_end(reader, topic, self._number, cursor.get(name, 0), ends[topic])
                for name, topic in self._topics.items()
            }
        if asked == self._times_forgotten:
            self._until = until

    def is_behind(self, cursor: Mapping[str, int], waiting_s: float) -> bool:
        """Whether pushes are held back. `waiting_s`: age of the oldest record that was handed over, and not applied."""
        self._waited_s = max(waiting_s, self.undelivered_s)
        self.held = self._reason(cursor)
        return self.held is not None

    def _reason(self, cursor: Mapping[str, int]) -> HoldReason | None:
        if self._until is None:
            return "strays" if self._others is not None and self._others.why() else self._because
        if self._until and not self._left(cursor):
            self._until = {}
        if self._until:
            return self._because
        if self._waited_s > self._max_lag_s:
            return "own_lag"
        return "unknown" if self.silence_s > self._max_lag_s else None

    def _left(self, cursor: Mapping[str, int]) -> int:
        """How many offsets lie between the cursor and the ends that a takeover waits for, all inputs together."""
        return sum(max(0, offset - cursor.get(name, 0)) for name, offset in (self._until or {}).items())

    def why(self, cursor: Mapping[str, int]) -> Hold:
        """Why one partition's pushes are held back at this cursor (topic -> next offset), and in words."""
        return Hold(self.held, self._words(cursor))

    def _words(self, cursor: Mapping[str, int]) -> str:
        if self.held == "strays" and self._others is not None and (late := self._others.why()):
            return late
        if self.held == "own_lag":
            return f"a record of its inputs has waited for {self._waited_s:.0f} s"
        if self._until:
            return f"{self._left(cursor)} offsets of its inputs are to be applied first"
        return "where the inputs end is not known"


async def readable_end(reader: Reader, topic: str, number: int, start: int, end: int) -> int:
    """The offset after the last readable record in [start, end), once all there is decided; `start`: there is none."""
    back = TAIL
    while start < end:
        begin = max(start, end - back)
        records = await read_all(reader, topic, number, before=end, start=begin, through=end - 1)
        if records or begin == start:
            return records[-1].offset + 1 if records else start
        back *= 10
    return start
