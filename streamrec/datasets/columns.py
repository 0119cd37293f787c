"""A log held as columns, played as steps.

Three million clicks fit into 100 MB of columns; as Python objects they would take over 1 GB. Records are therefore made
while the log is played, `CHUNK` at a time.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..arrays import BoolArray, DoubleArray, IntArray
from ..contracts.article import ArticleEvent
from ..contracts.event import ACTIONS, Action, UserEvent
from ..contracts.limits import EARLIEST_MS, LATEST_MS
from ..errors import DataError
from .records import Impression, Step, Summary
from .tally import Tally

CHUNK = 65_536
ACTION_CODE: Mapping[Action, int] = {action: code for code, action in enumerate(ACTIONS)}


class Events(NamedTuple):
    """A log's user events as columns, each (E,)."""

    at_ms: IntArray
    user: IntArray  # index into user_ids
    article: IntArray  # index into article_ids
    action: IntArray  # index into ACTIONS
    dwell_s: DoubleArray

    @staticmethod
    def of(action: Action, at_ms: IntArray, user: IntArray, article: IntArray) -> "Events":
        """Events of one action, without reading time."""
        return Events(at_ms, user, article, np.full(len(at_ms), ACTION_CODE[action], np.int64), np.zeros(len(at_ms)))

    @staticmethod
    def join(parts: Sequence["Events"]) -> "Events":
        """The events of all parts, one part after the other."""
        return Events._make(np.concatenate(column) for column in zip(*parts, strict=True))

    def keep(self, rows: BoolArray) -> "Events":
        """The events where `rows` (E,) is True, in their order."""
        return Events._make(column[rows] for column in self)


def columns_of(rows: Sequence[tuple[int, int, int]]) -> tuple[IntArray, IntArray, IntArray]:
    """Rows of (at_ms, user, article) as three columns."""
    at_ms, user, article = np.array(rows, np.int64).reshape(-1, 3).T
    return at_ms, user, article


def usable_ms(at_ms: IntArray) -> BoolArray:
    """(E,) True where a time is inside the range the contracts accept."""
    return np.asarray((at_ms >= EARLIEST_MS) & (at_ms <= LATEST_MS))


@dataclass(frozen=True)
class ColumnLog:
    """A log from columns. Articles are stepped at `article_at_ms`, which is at or after their publication time."""

    name: str
    user_ids: Sequence[str]
    article_ids: Sequence[str]
    articles: Sequence[ArticleEvent]
    article_at_ms: IntArray
    impressions: Sequence[Impression]
    impression_at_ms: IntArray
    events: Events
    tally: Tally
    tz: str = ""

    def __post_init__(self) -> None:
        if not len(self.events.at_ms) and not self.impressions:
            raise DataError(f"{self.name}: expected clicks or impressions, got none; {'; '.join(self.tally.said())}")

    @cached_property
    def summary(self) -> Summary:
        """Counts and time range, without playing the log."""
        times = [column for column in self._times() if len(column)]
        actions = Counter(self.events.action.tolist())
        return Summary(
            name=self.name,
            start_ms=int(min(column.min() for column in times)),
            end_ms=int(max(column.max() for column in times)),
            users=len(self.user_ids),
            articles=len(self.articles),
            impressions=len(self.impressions),
            events={ACTIONS[code]: count for code, count in sorted(actions.items())},
            tally=self.tally,
        )

    def __iter__(self) -> Iterator[Step]:
        times = self._times()
        at_ms = np.concatenate(times)
        kind = np.repeat(np.arange(3), [len(column) for column in times])
        row = np.concatenate([np.arange(len(column)) for column in times])
        order = np.lexsort((kind, at_ms))  # stable: ties keep the log's own order
        for start in range(0, len(order), CHUNK):
            chunk = order[start : start + CHUNK]
            yield from self._play(at_ms[chunk], kind[chunk], row[chunk])

    def _times(self) -> tuple[IntArray, IntArray, IntArray]:
        return self.article_at_ms, self.impression_at_ms, self.events.at_ms

    def _play(self, at_ms: IntArray, kind: IntArray, row: IntArray) -> Iterator[Step]:
        events = self._materialise(row[kind == 2])
        for at, which, index in zip(at_ms.tolist(), kind.tolist(), row.tolist(), strict=True):
            if which == 2:
                yield Step(at, next(events))
            else:
                yield Step(at, self.articles[index] if which == 0 else self.impressions[index])

    def _materialise(self, rows: IntArray) -> Iterator[UserEvent]:
        columns = (column[rows].tolist() for column in self.events)
        for at_ms, user, article, action, dwell_s in zip(*columns, strict=True):
            yield UserEvent(
                self.user_ids[user], ACTIONS[action], at_ms, self.article_ids[article], tz=self.tz, dwell_s=dwell_s
            )
