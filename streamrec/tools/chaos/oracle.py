"""The sequential oracle: what was committed, read one record at a time (reference_reading.py), in the order it was
committed in.

It follows the cursor records of the changelog. Each names the partition (the life of an owner) that encoded it, and
what that partition had been given by then. A new owner starts from the last commit, so the oracle does, too: with its
own profiles as they are, and the articles before the cursor. What depends on when a partition got its turn (pushes) is
not compared: the audit and the second opinion judge that.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import numpy as np

from ...arrays import FloatArray
from ...contracts.control import Command
from ...contracts.decode import Origin, Typed, decode_catalog
from ...contracts.push import ModelStamp, Push
from ...contracts.records import TOPICS, RawRecord
from ...partition.intake import Batch
from ...settings import Settings
from .articles_reading import Arrived
from .faulty_partition import Effect, Encoding, FragilePartition, Sent, at_once
from .memory_log import MemoryLog
from .reference_reading import Compared, PlainReading
from .row_check import push_differences, row_differences, said_differences
from .second_opinion import SecondOpinion, push_in


class Everyone:
    """Everybody likes everything: only policy stands between an article and a push."""

    stamp = ModelStamp("everyone", "1", "fp32")

    def probability(self, x: FloatArray) -> FloatArray:
        """One half for every row: everybody is likely enough to click, so policy alone decides."""
        return np.full(len(x), 0.5, np.float32)


class Oracle:
    """The state that one partition should have, built from what is committed, one record at a time."""

    def __init__(self, settings: Settings, number: int, broker: MemoryLog) -> None:
        self._number, self._broker, self._opinion = number, broker, SecondOpinion(settings)
        self._state = PlainReading(settings)
        self._owner: FragilePartition | None = None
        self._gone: set[int] = set()
        self._given = self._effects = self._looked_ms = 0
        self._next: dict[str, int] = dict.fromkeys(TOPICS, 0)
        self._committed: dict[str, int] = dict.fromkeys(TOPICS, 0)
        self.again = self.passed_over = 0
        self.wrong: list[str] = []  # in words

    def follow(self, encoding: Encoding, pushes: Sequence[RawRecord]) -> None:
        """Apply what one committed transaction covers, and compare rows and pushes with it."""
        owner = encoding.partition
        if owner is not self._owner:
            self._take_over(owner)
        for batch in owner.history[self._given : encoding.given]:
            self._count(batch)
        steps = [*self._in_order(owner.effects[self._effects : encoding.effects], map(push_in, pushes))]
        for step in steps:
            if isinstance(step, Push):
                if step.kind == "push":
                    self._state.push(step.user_id, step.article_id)
            elif not isinstance(step, Command | Sent):
                self._state.take(step)
        self.wrong += self._opinion.refuse(steps)
        self._given, self._effects = encoding.given, encoding.effects
        for topic, at in encoding.cursor.items():
            if at < self._committed[topic]:
                self.wrong.append(f"the cursor of {topic} went from {self._committed[topic]} back to {at}")
        self._committed = {**self._committed, **encoding.cursor}
        self._looked_ms = encoding.looked_ms

    def _in_order(self, effects: Iterable[Effect], sent: Iterator[Push]) -> Iterator[Effect | Push]:
        """What a transaction applied, with its pushes where they were made."""
        for effect in effects:
            made = [*islice(sent, effect.pushes)] if isinstance(effect, Sent) else [effect]
            if isinstance(effect, Sent) and len(made) < effect.pushes:
                self.wrong.append(f"{effect.pushes} pushes were made, {len(made)} of them committed")
            yield from made
        if left := len([*sent]):
            self.wrong.append(f"{left} pushes were committed that nobody made")

    def _take_over(self, owner: FragilePartition) -> None:
        if id(owner) in self._gone:
            self.wrong.append("an owner committed after its successor had")
        if self._owner is not None:
            self._gone.add(id(self._owner))
        self._owner, self._given, self._effects = owner, 0, 0
        number = self._number
        known = [
            record for record in self._broker.committed("catalog", number) if record.offset < self._committed["catalog"]
        ]
        self._next = dict(self._committed)
        self.wrong += owner.overdue
        items = decode_catalog(known, Origin("catalog", number))
        articles = [item.value for item in items if isinstance(item, Typed) and not at_once(item.value.article_id)]
        arrived = [Arrived(article, max(self._looked_ms, article.known_at_ms)) for article in articles]
        self._state.take_over(arrived)
        self._opinion.take_over(arrived)

    def _count(self, batch: Batch) -> None:
        number = self._number
        expected = self._next[batch.topic]
        given = {record.offset for record in batch.records}
        there = {record.offset for record in self._broker.committed(batch.topic, number, expected)}
        self.again += sum(offset < expected for offset in given)
        self.passed_over += sum(offset < batch.next_offset for offset in there - given)
        self._next[batch.topic] = max(expected, batch.next_offset)

    def differences(self, rows: dict[bytes, bytes], said: dict[bytes, bytes]) -> list[str]:
        """Between these rows, and these records of what readers want, and what they should be, in words."""
        found = [*self.wrong, *self._opinion.missing()]
        found += [*row_differences(rows, self._state), *push_differences(rows, self._state)]
        return [*found, *said_differences(said, self._state), *self._state.erased.differences(said)]

    def compared(self) -> Compared:
        """How many readers' rows these differences are between."""
        return self._state.compared()
