"""Records that stand in a topic and were never handed over: what a stuck fetcher looks like from outside.

A writer knows only what it was offered. So once a second the ends of the inputs are asked for, and an end that was seen
some time ago and is not delivered yet says how long, at least, its records have waited. A long wait has many such ends:
two are then kept as one, the later end with the earlier time, so that records seem older by little and never younger.

Old is not stuck: of a long backlog the first end stays out of reach while thousands of records a second are handed
over. An input stands still when none is, look after look. Where nobody looked for a while (a broker away, a process
that was stopped) nothing is known, and it is counted anew.
"""

from collections import deque
from typing import NamedTuple

MOST_ENDS = 256  # of an input partition
UNSEEN_S = 5.0  # without a look; there is one a second


class FetchProgress(NamedTuple):
    """How far the consumer is in one input partition: two offsets, whose distance has not been handed over."""

    delivered: int  # everything before was handed over
    end: int  # of what is committed


class _Position(NamedTuple):
    """Where an input was seen last, when, and since when it has been there."""

    delivered: int
    at_s: float
    since_s: float


class FetchLag:
    """How long each input partition has been waiting to be handed over."""

    def __init__(self) -> None:
        self._ends: dict[tuple[str, int], deque[tuple[float, int]]] = {}
        self._positions: dict[tuple[str, int], _Position] = {}
        self._topics: set[str] = set()
        self._noted_s: float | None = None

    def note(self, topic: str, partition: int, progress: FetchProgress, at_s: float) -> None:
        """Take in what was seen at the monotonic time `at_s`."""
        self._noted_s = at_s
        self._topics.add(topic)
        seen = self._positions.get((topic, partition))
        stayed = seen is not None and seen.delivered == progress.delivered and at_s - seen.at_s <= UNSEEN_S
        since_s = seen.since_s if seen is not None and stayed else at_s
        self._positions[topic, partition] = _Position(progress.delivered, at_s, since_s)
        ends = self._ends.setdefault((topic, partition), deque())
        while ends and ends[0][1] <= progress.delivered:
            ends.popleft()
        if progress.end > max(progress.delivered, ends[-1][1] if ends else 0):
            ends.append((at_s, progress.end))
            if len(ends) > MOST_ENDS:
                self._ends[topic, partition] = _thinned(ends)

    def forget(self) -> None:
        """Partitions move or recover: waiting is counted anew."""
        self._ends.clear()
        self._positions.clear()
        self._noted_s = None

    def seconds(self, partition: int, at_s: float) -> float:
        """Since when the oldest undelivered record of this partition is known of; 0 = none is."""
        since = [ends[0][0] for topic in self._topics if (ends := self._ends.get((topic, partition)))]
        return at_s - min(since) if since else 0.0

    def seconds_of(self, topic: str, partition: int, at_s: float) -> float:
        """Since when the oldest undelivered record of this input is known of; 0 = none is."""
        ends = self._ends.get((topic, partition))
        return at_s - ends[0][0] if ends else 0.0

    def standstill_s(self, topic: str, partition: int) -> float:
        """For how long this input had records and handed over none, as of the last look; 0 = it has none."""
        seen, ends = self._positions.get((topic, partition)), self._ends.get((topic, partition))
        return seen.at_s - max(seen.since_s, ends[0][0]) if seen and ends else 0.0

    def oldest(self, topic: str, partition: int) -> int:
        """The end of what has waited longest in this input; 0 = nothing waits."""
        ends = self._ends.get((topic, partition))
        return ends[0][1] if ends else 0

    def silence_s(self, at_s: float) -> float:
        """Since when nothing was heard of any end; 0 while partitions move, when nothing can be."""
        return at_s - self._noted_s if self._noted_s is not None else 0.0


def _thinned(ends: deque[tuple[float, int]]) -> deque[tuple[float, int]]:
    times, offsets = zip(*ends, strict=True)
    return deque(zip(times[::2], [*offsets[1::2], *offsets[len(offsets) - len(offsets) % 2 :]], strict=True))
