"""The sequential oracle: what was committed, applied one record at a time, in the order it was committed in.

It follows the cursor records of the changelog. Each names the partition (the life of an owner) that encoded it, and
what that partition had been given by then. A new owner starts from the last commit, so the oracle does, too: with its
own profiles as they are, and the articles before the cursor. What depends on when a partition got its turn (pushes) is
not compared: the audit and the second opinion judge that.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from ..changes import Changes
from ..contracts.article import AnalysedArticle
from ..contracts.decode import Origin, Typed, decode_catalog
from ..contracts.push import ModelStamp
from ..contracts.records import TOPICS, RawRecord, Record
from ..intake import Batch
from ..partition import Partition, Settled
from ..profiles.layout import PUSHED, ROW
from ..profiles.store import ProfileStore
from ..ranking.scores import FloatArray
from .fragile import Effect, Encoding, FragilePartition, at_once
from .memory_log import MemoryLog
from .second_opinion import SecondOpinion

OF_PUSHES = frozenset({"seen", "seen_acts", "floor_s", "pushed_at_s", "pushed_story", "n_pushes", "due_at_s"})
OF_EVENTS = tuple(name for name in ROW.names or () if name not in OF_PUSHES)


class Everyone:
    """Everybody likes everything: only policy stands between an article and a push."""

    stamp = ModelStamp("everyone", "1", "fp32")

    def probability(self, x: FloatArray) -> FloatArray:
        """One half."""
        return np.full(len(x), 0.5, np.float32)


class Sequential(Partition):
    """A partition that takes one event or one article at a time, and pushes nothing."""

    def go_on(self, profiles: ProfileStore, articles: Iterable[AnalysedArticle]) -> None:
        """What a new owner begins with, not by way of the log: `restore` is on trial."""
        self.profiles = profiles
        for article in articles:
            self.catalog.apply(article, article.known_at_ms)
        self._awaited.count(profiles)

    def take(self, effect: Effect) -> None:
        """Change the state by it."""
        if isinstance(effect, AnalysedArticle):
            self._take_in(effect, effect.known_at_ms, Changes())
        else:
            self._learn([effect], Changes())


class Oracle:
    """State of one partition as it should be."""

    def __init__(self, settled: Settled, broker: MemoryLog, opinion: SecondOpinion) -> None:
        self._settled, self._broker, self._opinion = settled, broker, opinion
        self._state = Sequential(settled)
        self._owner: FragilePartition | None = None
        self._gone: set[int] = set()
        self._given = self._effects = 0
        self._next: dict[str, int] = dict.fromkeys(TOPICS, 0)
        self._committed: dict[str, int] = dict.fromkeys(TOPICS, 0)
        self.again = self.passed_over = 0
        self.wrong: list[str] = []  # in words

    def follow(self, encoding: Encoding, pushes: Sequence[RawRecord]) -> None:
        """One committed transaction."""
        owner = encoding.partition
        if owner is not self._owner:
            self._take_over(owner)
        for batch in owner.history[self._given : encoding.given]:
            self._count(batch)
        effects = owner.effects[self._effects : encoding.effects]
        for effect in effects:
            self._state.take(effect)
        self.wrong += self._opinion.refuse(effects, pushes)
        self._given, self._effects = encoding.given, encoding.effects
        for topic, at in encoding.cursor.items():
            if at < self._committed[topic]:
                self.wrong.append(f"the cursor of {topic} went from {self._committed[topic]} back to {at}")
        self._committed = {**self._committed, **encoding.cursor}

    def _take_over(self, owner: FragilePartition) -> None:
        if id(owner) in self._gone:
            self.wrong.append("an owner committed after its successor had")
        if self._owner is not None:
            self._gone.add(id(self._owner))
        self._owner, self._given, self._effects = owner, 0, 0
        number = self._settled.number
        known = [
            record for record in self._broker.committed("catalog", number) if record.offset < self._committed["catalog"]
        ]
        self._next = dict(self._committed)
        profiles, self._state = self._state.profiles, Sequential(self._settled)
        items = decode_catalog(known, Origin("catalog", number))
        articles = [item.value for item in items if isinstance(item, Typed) and not at_once(item.value.article_id)]
        self._state.go_on(profiles, articles)
        self._opinion.take_over(articles)

    def _count(self, batch: Batch) -> None:
        number = self._settled.number
        expected = self._next[batch.topic]
        given = {record.offset for record in batch.records}
        there = {record.offset for record in self._broker.committed(batch.topic, number, expected)}
        self.again += sum(offset < expected for offset in given)
        self.passed_over += sum(offset < batch.next_offset for offset in there - given)
        self._next[batch.topic] = max(expected, batch.next_offset)

    def differences(self, rows: dict[bytes, bytes]) -> list[str]:
        """Between these rows and what they should be, in words."""
        return [*self.wrong, *row_differences(rows, self._state)]


def row_differences(rows: dict[bytes, bytes], state: Partition) -> list[str]:
    """Between rows of the changelog and a state, in words; pushes left out."""
    expected = state.profiles.rows()
    found = []
    if rows.keys() != expected.keys():
        found.append(f"users {sorted(rows.keys() ^ expected.keys())[:5]} are on one side only")
    for key in sorted(rows.keys() & expected.keys()):
        ours, theirs = np.frombuffer(rows[key], ROW)[0], np.frombuffer(expected[key], ROW)[0]
        wrong = [name for name in OF_EVENTS if not np.array_equal(ours[name], theirs[name])]
        if not (ours["floor_s"] or theirs["floor_s"]) and acts_of(ours) != acts_of(theirs):
            wrong.append("seen")
        if wrong:
            found.append(f"the row of {key.decode()} differs in {', '.join(wrong)}")
    return found


def acts_of(row: np.void) -> dict[int, int]:
    """What a reader did, by article: pushes left out."""
    acts = {int(key): int(act) & ~PUSHED for key, act in zip(row["seen"], row["seen_acts"], strict=True)}
    return {key: act for key, act in acts.items() if act}


def push_differences(rows: dict[bytes, bytes], pushes: Iterable[Record]) -> list[str]:
    """Between the pushes each row counts and those that are in `push`, in words."""
    sent = Counter(record.key or b"" for record in pushes)
    counted = {key: int(np.frombuffer(row, ROW)["n_pushes"][0]) for key, row in rows.items()}
    return [
        f"the row of {key.decode()} counts {counted.get(key, 0)} pushes, {sent[key]} were sent"
        for key in sorted(sent.keys() | counted.keys())
        if sent[key] != counted.get(key, 0)
    ]
