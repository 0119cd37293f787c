"""First read, then push: whether a partition knows enough of its inputs to push.

    takeover   No push leaves before the inputs are applied up to where they ended when the partition was taken over, or
               given back after a rebalance. Ends are asked for after the old owner is fenced.
    lag        None leaves while a record that should be applied has waited longer than STREAMREC_MAX_PUSH_LAG_S, known
               or not: where the ends of the inputs have not been heard of for so long, nobody knows.

Breaking news is no exception: who unsubscribed a minute ago gets none of it either. Meanwhile records are applied and
articles taken in, which wait for their meeting (unmet.py).

An end counts open transactions and markers, which a consumer of committed records steps over, so the end of a log is
turned into the offset after the last record that can be read before it.

What strayed into another partition's events is an input, too: where there are strays, ends are asked for once they were
sent on (strays.py).
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from aiokafka.errors import KafkaError as ClientError

from ..contracts.records import Topic
from ..errors import KafkaError
from .log import Log, Reader, read_all

log = logging.getLogger(__name__)

SentOn = Callable[[], Awaitable[None]]  # waits until all strays stand where their users live
TAIL = 50  # offsets before the end, in which the last record is looked for first


class CatchingUp:
    """Of one partition."""

    def __init__(
        self, log: Log, number: int, topics: Mapping[Topic, str], max_lag_s: float, sent_on: SentOn | None = None
    ) -> None:
        self.undelivered_s = 0.0  # how long a record has not been handed over, at least
        self._log, self._number, self._topics, self._max_lag_s = log, number, topics, max_lag_s
        self._sent_on = sent_on
        self._until: dict[Topic, int] | None = None  # of each input: to be applied up to; None: not known

    def forget(self) -> None:
        """Where the inputs end is not known any more."""
        self._until = None

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
        if self._sent_on is not None:
            await self._sent_on()
        async with self._log.reader() as reader:
            ends = await reader.ends(list(self._topics.values()), self._number)
            until = {
                name: await after_last(reader, topic, self._number, cursor.get(name, 0), ends[topic])
                for name, topic in self._topics.items()
            }
        self._until = until

    def is_behind(self, cursor: Mapping[str, int], waiting_s: float) -> bool:
        """Whether pushes are held back. `waiting_s`: age of the oldest record that was handed over, and not applied."""
        if self._until is None:
            return True
        if self._until and all(cursor.get(name, 0) >= offset for name, offset in self._until.items()):
            self._until = {}
        return bool(self._until) or max(waiting_s, self.undelivered_s) > self._max_lag_s


async def after_last(reader: Reader, topic: str, number: int, start: int, end: int) -> int:
    """The offset after the last readable record in [start, end), once all there is decided; `start`: there is none."""
    back = TAIL
    while start < end:
        begin = max(start, end - back)
        records = await read_all(reader, topic, number, before=end, start=begin, through=end - 1)
        if records or begin == start:
            return records[-1].offset + 1 if records else start
        back *= 10
    return start
