"""What a partition's writer does next.

What is urgent goes before all else. Articles are taken in as soon as they come, and meet users a chunk at a time;
between two chunks events have their turn, and users who are due with them. So a click never waits for an article that
meets a million users, nor an article for the one before it to be known. Nobody meets anything while the partition is
behind its inputs (catch_up.py).
"""

from collections.abc import Iterator

from ...clock import monotonic_s, now_ms
from ...contracts.inputs import BY_TURNS, URGENT
from ...contracts.records import Topic
from ...partition.changes import Changes
from ...partition.partition import Meeting, Partition
from ...settings import Settings
from ..commit.uncommitted import Uncommitted
from .catch_up import CatchUp
from .lanes import Lanes


class Scheduler:
    """Takes a partition's next step between commits: articles in, events applied, or users meet articles."""

    def __init__(
        self, partition: Partition, settings: Settings, lanes: Lanes, uncommitted: Uncommitted, catch_up: CatchUp
    ) -> None:
        self._settings, self._lanes, self._uncommitted, self._catch_up = settings, lanes, uncommitted, catch_up
        self._next_look_s = 0.0  # monotonic: users who are due do not wait for a clock that was put back
        self._articles_turn = False
        self.begin(partition)

    def begin(self, partition: Partition) -> None:
        """Go on with this partition's state, and forget what was on its way."""
        self._partition = partition
        self._is_replay = partition.context.tick_ms > 0
        partition.at_once = partition.at_once and self._is_replay
        self._steps: Iterator[Changes] | None = None  # of a batch
        self._due: Iterator[Meeting] | None = None  # users who are due

    def next(self, in_round: bool, closing: bool) -> Changes | None:
        """The next piece of work; None if there is nothing to do. In a replay everything goes in order."""
        if self._is_replay:
            return self._next_of_replay()
        at_ms = now_ms()
        self._hold(at_ms)
        if (urgent := self._waiting(URGENT)) is not None:
            return self._apply(urgent)
        self._partition.steering.lift_ended(at_ms)
        waiting = self._partition.queue and not self._partition.held_back
        articles = self._steps is not None or self._partition.steering.waves or waiting
        events = self._events_to_apply(in_round and not closing and not articles)
        self._articles_turn = not events or (not self._articles_turn and in_round)
        if self._articles_turn and (changes := self._articles(at_ms)) is not None:
            return changes
        if events:
            changes = self._apply(events)
            changes.merge(self._meet_due(at_ms) or Changes())
            return changes
        return None if closing else self._look(at_ms)

    def wait_s(self) -> float:
        """Seconds until there may be something to do again, if nothing comes."""
        return 1.0 if self._is_replay else max(0.001, self._next_look_s - monotonic_s())

    def _hold(self, at_ms: int) -> None:
        heads = self._lanes.oldest_ms()
        waiting_s = (at_ms - min(heads)) / 1000 if heads else 0.0
        self._partition.holds = self._catch_up.is_behind(self._partition.cursor, waiting_s)

    def _next_of_replay(self) -> Changes | None:
        if (changes := self._step()) is not None:
            return changes
        events = self._waiting((*URGENT, *BY_TURNS))
        self._articles_turn = self._lanes.has("catalog") and not (events and self._articles_turn)
        topic: Topic | None = "catalog" if self._articles_turn else events
        return self._begin(topic) if topic else None

    def _articles(self, at_ms: int) -> Changes | None:
        """Take all in first, so that each meets users as its newest version; what was taken back goes before them."""
        if (changes := self._step()) is not None:
            return changes
        if self._lanes.has("catalog"):
            return self._begin("catalog")
        if (changes := self._partition.wave(at_ms)) is not None:
            return changes
        meeting = self._partition.article_meeting(at_ms)
        return None if meeting is None else self._partition.meet(meeting)

    def _step(self) -> Changes | None:
        changes = next(self._steps, None) if self._steps is not None else None
        if changes is None:
            self._steps = None
        return changes

    def _events_to_apply(self, only_full: bool) -> Topic | None:
        """What readers say and did, in the order of the table: strays have waited already."""
        return self._waiting(BY_TURNS, self._settings.batch_events if only_full else 0)

    def _waiting(self, topics: tuple[Topic, ...], at_least: int = 0) -> Topic | None:
        return next((topic for topic in topics if self._lanes.has(topic, at_least)), None)

    def _begin(self, topic: Topic) -> Changes:
        kib, self._steps = self._take(topic, 1)
        return Changes(kib=kib)

    def _apply(self, topic: Topic) -> Changes:
        kib, steps = self._take(topic, self._settings.batch_events)
        changes = Changes(kib=kib)
        for step in steps:
            changes.merge(step)
        return changes

    def _take(self, topic: Topic, at_most: int) -> tuple[int, Iterator[Changes]]:
        batch = self._lanes.take(topic, at_most)
        self._uncommitted.uncovered.append(batch)
        return batch.kib, self._partition.apply(batch, now_ms())

    def _look(self, at_ms: int) -> Changes | None:
        if self._due is None:
            if monotonic_s() < self._next_look_s:
                return None
            self._next_look_s = monotonic_s() + self._settings.due_scan_s
        return self._meet_due(at_ms)

    def _meet_due(self, at_ms: int) -> Changes | None:
        """The next users who are due meet the fresh articles; None: there are none, or pushes are held back."""
        if self._partition.held_back:
            self._due = None
            return None
        changes = Changes()
        if self._due is None:
            changes = self._partition.forget_silent(at_ms)
            self._partition.open(at_ms)
            self._due = self._partition.due(at_ms)
        meeting = next(self._due, None)
        if meeting is None:
            self._due = None
            return changes if changes or self._partition.queue else None
        changes.merge(self._partition.meet(meeting))
        return changes
