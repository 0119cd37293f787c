"""The sequential oracle: what was committed, applied one record at a time, in the order it was committed in.

It follows the cursor records of the changelog. Each names the partition (the life of an owner) that encoded it, and
what that partition had been given by then. A new owner starts from the last commit, so the oracle does, too: from its
own rows, and the articles before the cursor. What depends on when a partition got its turn (pushes) is not compared:
the audit judges that.
"""

import numpy as np

from ..changes import Changes
from ..contracts.article import AnalysedArticle
from ..contracts.decode import Origin, decode_catalog
from ..contracts.push import ModelStamp
from ..contracts.records import TOPICS
from ..intake import Batch
from ..meta import Meta
from ..partition import Partition, Settled
from ..profiles.layout import ROW
from ..ranking.scores import FloatArray
from .fragile import Effect, Encoding, FragilePartition
from .memory_log import MemoryLog

OF_PUSHES = frozenset({"pushed", "n_pushes", "due_at_s"})
OF_EVENTS = tuple(name for name in ROW.names or () if name not in OF_PUSHES)


class Everyone:
    """Everybody likes everything: only policy stands between an article and a push."""

    stamp = ModelStamp("everyone", "1", "fp32")

    def probability(self, x: FloatArray) -> FloatArray:
        """One half."""
        return np.full(len(x), 0.5, np.float32)


class Sequential(Partition):
    """A partition that takes one event or one article at a time, and pushes nothing."""

    def take(self, effect: Effect) -> None:
        """Change the state by it."""
        if isinstance(effect, AnalysedArticle):
            self._take_in(effect, effect.known_at_ms, Changes())
        else:
            self._learn([effect], Changes())


class Oracle:
    """State of one partition as it should be."""

    def __init__(self, settled: Settled, broker: MemoryLog) -> None:
        self._settled, self._broker = settled, broker
        self._state = Sequential(settled)
        self._owner: FragilePartition | None = None
        self._gone: set[int] = set()
        self._given = self._effects = 0
        self._next: dict[str, int] = dict.fromkeys(TOPICS, 0)
        self._committed: dict[str, int] = dict.fromkeys(TOPICS, 0)
        self.again = self.passed_over = 0
        self.backwards: list[str] = []

    def follow(self, encoding: Encoding) -> None:
        """One committed transaction."""
        owner = encoding.partition
        if owner is not self._owner:
            self._take_over(owner)
        for batch in owner.history[self._given : encoding.given]:
            self._count(batch)
        for effect in owner.effects[self._effects : encoding.effects]:
            self._state.take(effect)
        self._given, self._effects = encoding.given, encoding.effects
        for topic, at in encoding.cursor.items():
            if at < self._committed[topic]:
                self.backwards.append(f"the cursor of {topic} went from {self._committed[topic]} back to {at}")
        self._committed = {**self._committed, **encoding.cursor}

    def _take_over(self, owner: FragilePartition) -> None:
        if id(owner) in self._gone:
            self.backwards.append("an owner committed after its successor had")
        if self._owner is not None:
            self._gone.add(id(self._owner))
        self._owner, self._given, self._effects = owner, 0, 0
        rows = self._state.profiles.encode(np.arange(len(self._state.profiles)))
        number = self._settled.number
        known = [
            record for record in self._broker.committed("catalog", number) if record.offset < self._committed["catalog"]
        ]
        self._next = dict(self._committed)
        self._state = Sequential(self._settled)
        self._state.restore(rows, Meta(dict(self._committed), 0), decode_catalog(known, Origin("catalog", number)))

    def _count(self, batch: Batch) -> None:
        number = self._settled.number
        expected = self._next[batch.topic]
        first, end = (batch.records[0].offset if batch.records else batch.next_offset), batch.next_offset
        self.again += sum(record.offset < expected for record in batch.records)
        if first > expected:
            skipped = self._broker.committed(batch.topic, number, expected)
            self.passed_over += sum(record.offset < first for record in skipped)
        self._next[batch.topic] = max(expected, end)

    def differences(self, rows: dict[bytes, bytes]) -> list[str]:
        """Between these rows and what they should be, in words."""
        return [*self.backwards, *row_differences(rows, self._state)]


def row_differences(rows: dict[bytes, bytes], state: Partition) -> list[str]:
    """Between rows of the changelog and a state, in words; pushes left out."""
    expected = dict(state.profiles.encode(np.arange(len(state.profiles))))
    found = []
    if rows.keys() != expected.keys():
        found.append(f"users {sorted(rows.keys() ^ expected.keys())[:5]} are on one side only")
    for key in sorted(rows.keys() & expected.keys()):
        ours, theirs = np.frombuffer(rows[key], ROW)[0], np.frombuffer(expected[key], ROW)[0]
        wrong = [name for name in OF_EVENTS if not np.array_equal(ours[name], theirs[name])]
        if wrong:
            found.append(f"the row of {key.decode()} differs in {', '.join(wrong)}")
    return found
