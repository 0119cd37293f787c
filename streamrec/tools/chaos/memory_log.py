"""A transactional log in memory, with what matters of Kafka's: transactional ids that are fenced by whoever starts them
next, records that are visible once committed and only up to the first open transaction, markers that take an offset and
may come late: a commit is accepted before it can be read. Whoever starts the id next waits for that, unless the
coordinator has forgotten the id meanwhile (seen on a broker that stood still). A transaction that nobody ends is
aborted after a while, and its id fenced.

Requests of producers have an effect whenever they arrive, in any order and any number of times (memory_network.py), if
their epoch and their sequence number allow it. It shares no code with Kafka; what real brokers do is tested with real
brokers.
"""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from aiokafka.errors import ConcurrentTransactions, InvalidTxnState, OutOfOrderSequenceNumber, ProducerFenced

from ...clock import now_ms
from ...contracts.records import RawRecord
from .memory_network import Network

LATE_MARKERS = 0.1  # of commits
LATE_S = 0.005, 0.1, 3.0  # so late, drawn evenly
TRANSACTION_TIMEOUT_S = 60.0

TopicPartition = tuple[str, int]
Outcome = Literal["committed", "aborted"]


@dataclass
class Entry:
    """What stands at one offset of a partition, and whether readers may see it."""

    record: RawRecord
    state: Literal["open", "committed", "aborted", "marker"] = "committed"


Sent = dict[TopicPartition, list[Entry]]  # what one transaction has written so far


class MemoryLog:
    """The broker of a simulation: partitions, transactional ids and their transactions, in memory."""

    def __init__(
        self, rng: np.random.Generator, network: Network | None = None, late_s: Sequence[float] = LATE_S
    ) -> None:
        self.rng, self.network, self._late_s = rng, network or Network(rng), late_s
        self.marking: dict[str, asyncio.Task[None]] = {}  # id -> markers of its last commit are on their way
        self.partitions: dict[TopicPartition, list[Entry]] = defaultdict(list)
        self.epochs: dict[str, int] = defaultdict(int)
        self._follows: dict[str, int] = {}  # id -> the epoch its latest was to follow, if it named one
        self._outcomes: dict[str, Outcome] = {}  # id -> of its latest transaction in this epoch
        # (id, epoch, partition) -> first entries of its batches, by sequence number
        self._batches: dict[tuple[str, int, TopicPartition], list[Entry]] = defaultdict(list)
        # the same -> the earliest number that came since its last transaction wrote there; no later one is taken
        self._earliest: dict[tuple[str, int, TopicPartition], int] = {}
        self.open: dict[str, Sent] = {}
        self.transactions: list[Sent] = []  # those committed, in order
        self._decided: dict[TopicPartition, int] = defaultdict(int)  # offsets known to lie before any open transaction
        self.news = asyncio.Event()  # set whenever something became readable

    def append(self, topic: str, partition: int, record: RawRecord, state: Literal["open", "committed"]) -> Entry:
        """Append a record at the next offset of a partition."""
        entries = self.partitions[topic, partition]
        entries.append(Entry(record._replace(offset=len(entries)), state))
        self.news.set()
        return entries[-1]

    def committed(self, topic: str, partition: int, start: int = 0) -> list[RawRecord]:
        """Records a read-committed consumer gets from `start` on."""
        entries = self.partitions[topic, partition][start : self.end(topic, partition)]
        return [entry.record for entry in entries if entry.state == "committed"]

    def end(self, topic: str, partition: int) -> int:
        """The last stable offset of a partition: no transaction is open before it."""
        entries, at = self.partitions[topic, partition], self._decided[topic, partition]
        while at < len(entries) and entries[at].state != "open":
            at += 1
        self._decided[topic, partition] = at
        return at

    # --- what producers ask for; ProducerFenced if their epoch is over ------------------------------------------------

    def begin_epoch(self, transactional_id: str, follows: int | None) -> int:
        """The next epoch of this id; what is open is aborted. `follows`: only if this is the latest."""
        latest, name = self.epochs[transactional_id], transactional_id
        if follows is not None and follows != latest:
            if name not in self.open and self._follows.get(name) == follows:
                return latest  # a copy of the request that began it
            self._abort(name)
            raise ProducerFenced
        self._abort(name)
        self._begin_epoch(name, follows)
        return self.epochs[name]

    def _abort(self, transactional_id: str) -> None:
        if transactional_id in self.open:
            self._finish(transactional_id, "aborted")
            self._begin_epoch(transactional_id, None)

    def _begin_epoch(self, transactional_id: str, follows: int | None) -> None:
        self.epochs[transactional_id] += 1
        self._outcomes.pop(transactional_id, None)
        self._follows.pop(transactional_id, None)
        if follows is not None:
            self._follows[transactional_id] = follows

    def add(self, transactional_id: str, epoch: int, partition: TopicPartition) -> None:
        """Add a partition to the open transaction of this id, begun if need be; it is aborted if it lasts too long."""
        self._check(transactional_id, epoch)
        if not self.is_marked(transactional_id):
            raise ConcurrentTransactions
        if transactional_id not in self.open:
            sent = self.open[transactional_id] = {}
            asyncio.get_running_loop().call_later(TRANSACTION_TIMEOUT_S, self._expire, transactional_id, sent)
        self.open[transactional_id].setdefault(partition, [])

    def write(
        self, transactional_id: str, epoch: int, to: TopicPartition, sequence: int, records: Sequence[RawRecord]
    ) -> RawRecord:
        """Write a batch in the open transaction; the first record, as it stands there. A batch that came is known.

        OutOfOrderSequenceNumber where one came late that a broker takes for the first of this transaction.
        """
        self._check(transactional_id, epoch)
        batches = transactional_id, epoch, to
        written, earlier = self._batches[batches], self.open.get(transactional_id, {}).get(to)
        if not earlier:
            self._earliest[batches] = min(sequence, self._earliest.get(batches, sequence))
            if sequence > self._earliest[batches]:
                raise OutOfOrderSequenceNumber
        if sequence == len(written):
            if earlier is None:
                raise InvalidTxnState
            self._earliest.pop(batches, None)
            entries = [self.append(*to, record, "open") for record in records]
            self.open[transactional_id][to].extend(entries)
            written.append(entries[0])
        return written[sequence].record

    def end_transaction(self, transactional_id: str, epoch: int, outcome: Outcome) -> None:
        """End the open transaction; InvalidTxnState if there is none, unless the last one ended so."""
        self._check(transactional_id, epoch)
        if transactional_id in self.open:
            self._finish(transactional_id, outcome)
        elif self._outcomes.get(transactional_id) != outcome:
            raise InvalidTxnState

    def _check(self, transactional_id: str, epoch: int) -> None:
        if self.epochs[transactional_id] != epoch:
            raise ProducerFenced

    def _finish(self, transactional_id: str, outcome: Outcome) -> None:
        sent = self.open.pop(transactional_id)
        self._outcomes[transactional_id] = outcome
        if outcome == "committed":
            self.transactions.append(sent)
        if outcome == "committed" and self.rng.random() < LATE_MARKERS:
            self.marking[transactional_id] = asyncio.create_task(self._mark_late(sent))
        else:
            self._mark(sent, outcome)

    def _expire(self, transactional_id: str, sent: Sent) -> None:
        if self.open.get(transactional_id) is sent:
            self._abort(transactional_id)

    # --- markers ------------------------------------------------------------------------------------------------------

    def is_marked(self, transactional_id: str) -> bool:
        """Whether the last commit of this id can be read."""
        return transactional_id not in self.marking or self.marking[transactional_id].done()

    async def marked(self, transactional_id: str) -> None:
        """Wait until the last commit of this transactional id can be read."""
        marking = self.marking.get(transactional_id)
        if marking is not None:
            await asyncio.wait({marking})

    def settled(self) -> bool:
        """Whether every accepted commit can be read."""
        return all(marking.done() for marking in self.marking.values())

    async def _mark_late(self, sent: Sent) -> None:
        await asyncio.sleep(float(self.rng.choice(self._late_s)))
        self._mark(sent, "committed")

    def _mark(self, sent: Sent, state: Outcome) -> None:
        self.news.set()
        for topic, partition in sorted(sent):
            for entry in sent[topic, partition]:
                entry.state = state
            entries = self.partitions[topic, partition]
            entries.append(Entry(RawRecord(len(entries), now_ms(), None, None), "marker"))
