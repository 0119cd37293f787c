"""Reads what owners go on to commit, for all followed partitions with one consumer that joins no group.

After a silence the log may be another one: a topic that is deleted and made again gives its offsets out anew. So the
last cursor record is read again. If another record stands there the follower ends; where compaction has removed it the
partition is restored, which is right in either case.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError as ClientError
from aiokafka.errors import OffsetOutOfRangeError, TopicAuthorizationFailedError

from ..clock import now_ms
from ..contracts.records import Record
from ..errors import KafkaError, StateError
from ..kafka.clients import consumer
from ..kafka.log import KafkaLog, read_all
from ..kafka.topics import ACL_CURE, changelog_topic
from ..settings import Settings
from .lag import SILENCE_MS, Lag, lag_of
from .replica import Replica

log = logging.getLogger(__name__)

POLL_MS = 100
SUSPECT_MS = 2_000  # of silence: a topic is not deleted and made again in less
Applied = Callable[[TopicPartition, Sequence[Record]], object]


class Tail:
    """Follows the changelog and `catalog` of these replicas; what it reads is applied by `run`, under `lock`."""

    def __init__(
        self, settings: Settings, log: KafkaLog, replicas: dict[int, Replica], lock: asyncio.Lock, applied: Applied
    ) -> None:
        self._applied = applied  # told of each piece that was taken over
        self._settings, self._log, self._replicas, self._lock = settings, log, replicas, lock
        self._changelog = changelog_topic(settings)
        self._catalog, self._letters = settings.topic("catalog"), settings.topic("catalog.dlq")
        self._heard_ms = dict.fromkeys(replicas, now_ms())
        self._at_end = dict.fromkeys(replicas, True)  # of what was there when they were restored
        self._suspect: set[int] = set()
        self._consumer: Any = None

    async def start(self, letters_from: Mapping[int, int]) -> None:
        """Begin where the replicas were restored to; `letters_from`: where dead letters of `catalog` ended before."""
        self._consumer = consumer(
            self._settings,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="none",
            fetch_max_wait_ms=250,
            max_partition_fetch_bytes=8 * 1024 * 1024,
        )
        await self._consumer.start()
        topics = (self._changelog, self._catalog, self._letters)
        self._consumer.assign([TopicPartition(topic, number) for topic in topics for number in self._replicas])
        for number, offset in letters_from.items():
            self._consumer.seek(TopicPartition(self._letters, number), offset)
        for number in self._replicas:
            self.seek(number)

    def seek(self, number: int) -> None:
        """Read a partition on from where its replica is."""
        replica = self._replicas[number]
        self._consumer.seek(TopicPartition(self._changelog, number), replica.next_offset)
        self._consumer.seek(TopicPartition(self._catalog, number), replica.partition.cursor.get("catalog", 0))

    async def stop(self) -> None:
        """Close the connections."""
        if self._consumer is not None:
            await self._consumer.stop()

    async def run(self, restore: Callable[[int], Awaitable[None]]) -> None:
        """Follow until cancelled; raises what ends a follower. `restore` renews a replica whose log has moved on."""
        while True:
            try:
                found = await self._consumer.getmany(timeout_ms=POLL_MS)
            except OffsetOutOfRangeError as error:
                raise self._another_log(error.args[0]) from None
            except TopicAuthorizationFailedError as error:
                raise KafkaError(f"{self._settings.principal} may not read {error.args[0]}; {ACL_CURE}") from None
            async with self._lock:
                for tp, records in found.items():
                    self._take(tp, records)
                for replica in self._replicas.values():
                    replica.partition.steering.lift_ended(now_ms())  # by itself: no owner logs that
            await self._listen()
            await self._check_suspects()
            for number, replica in self._replicas.items():
                if replica.is_stale:
                    await restore(number)

    def lags(self, at_ms: int) -> list[Lag]:
        """How old each partition is."""
        return [
            lag_of(number, replica.next_offset, replica.applied_ms, self._heard_ms[number], self._at_end[number], at_ms)
            for number, replica in self._replicas.items()
        ]

    def _take(self, tp: TopicPartition, records: Sequence[Record]) -> None:
        replica = self._replicas[tp.partition]
        if tp.topic == self._changelog:
            replica.take_changelog(records)
        elif tp.topic == self._catalog:
            replica.take_catalog(records)
        else:
            replica.take_letters(records)
        self._applied(tp, records)

    async def _listen(self) -> None:
        """What the broker has answered of each partition, and whether all of it is applied."""
        at_ms = now_ms()
        for number in self._replicas:
            tp = TopicPartition(self._changelog, number)
            heard_ms, stable = self._consumer.last_poll_timestamp(tp), self._consumer.last_stable_offset(tp)
            self._heard_ms[number] = max(self._heard_ms[number], heard_ms or 0)
            self._at_end[number] = stable is None or await self._consumer.position(tp) >= stable
            if at_ms - self._heard_ms[number] > SUSPECT_MS:
                self._suspect.add(number)
        if any(at_ms - heard_ms > SILENCE_MS for heard_ms in self._heard_ms.values()):
            await self._is_there()

    async def _is_there(self) -> None:
        """KafkaError if a broker answers and the topic is gone; where none does, silence is all there is to say."""
        try:
            known = await self._consumer.topics()
        except (OSError, ClientError):
            return
        if known and self._changelog not in known:
            raise KafkaError(f"there is no topic {self._changelog} any more; nothing is left to follow")

    async def _check_suspects(self) -> None:
        """Partitions that were silent and are heard again: is it still the log that was read?"""
        at_ms = now_ms()
        for number in [n for n in self._suspect if at_ms - self._heard_ms[n] <= SUSPECT_MS]:
            try:
                async with self._log.reader() as reader:
                    await self._check(number, reader)
            except (OSError, ClientError):  # away again; it is asked once more when it is heard again
                return
            self._suspect.discard(number)

    async def _check(self, number: int, reader: Any) -> None:
        replica = self._replicas[number]
        end = (await reader.ends([self._changelog], number))[self._changelog]
        if end < replica.next_offset:
            raise self._another_log({TopicPartition(self._changelog, number): replica.next_offset})
        if replica.mark is None:
            replica.is_stale = True
            return
        at, said_ms, value = replica.mark
        there = await read_all(reader, self._changelog, number, before=at + 1, start=at)
        replica.is_stale = not there
        if there and (there[0].timestamp, there[0].value) != (said_ms, value):
            raise self._another_log({TopicPartition(self._changelog, number): at})

    def _another_log(self, offsets: Mapping[TopicPartition, int]) -> StateError:
        tp, offset = next(iter(offsets.items()))
        return StateError(
            f"{tp.topic}-{tp.partition} is not the log that was followed: offset {offset}, which was read or comes"
            " next, is gone or another; the topic was deleted and made again, or its log was cut. Start the follower"
            " anew"
        )
