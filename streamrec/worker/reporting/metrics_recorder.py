"""From facts to metrics: pure stages return facts, here they are counted."""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import cast

import numpy as np

from ...clock import monotonic_s
from ...contracts.push import Trigger
from ...observability.metrics import INPUT_TOPICS, InputTopic, Metrics, Stage
from ...partition.changes import Changes
from ...settings import Settings
from .decision_log import DecisionLog
from .rejects import Rejects

log = logging.getLogger(__name__)

RECOVERY_TOLD_S = 5.0
_KINDS = attrgetter("kind", "trigger", "priority")
MARKED: tuple[InputTopic, ...] = ("catalog", "rerouted")


class MetricsRecorder:
    """Counts what partitions did, in this process's series."""

    def __init__(self, metrics: Metrics, settings: Settings) -> None:
        self.metrics = metrics
        self._inputs = {settings.topic(topic): topic for topic in INPUT_TOPICS}
        self._rejects, self.decided = Rejects(metrics), DecisionLog()
        self._partitions, self._unread = settings.partitions, dict.fromkeys(INPUT_TOPICS, 0)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage of one batch: a block whose seconds go into the stage's histogram."""
        started_s = monotonic_s()
        yield
        self.metrics.stage[cast(Stage, name)].observe_many(np.array([monotonic_s() - started_s]))

    def recovering(self, partition: int) -> Callable[[int], None]:
        """Takes how many changelog records of a recovery are read: into the gauge, and every few seconds the log."""
        gauge, told_s = self.metrics.recovery_rows.labels(str(partition)), monotonic_s()

        def progress(records: int) -> None:
            nonlocal told_s
            gauge.set(records)
            if monotonic_s() - told_s > RECOVERY_TOLD_S:
                told_s = monotonic_s()
                log.info("recovering: %d records so far", records, extra={"partition": partition})

        return progress

    def lost(self, topic: str, partition: int, offsets: int) -> None:
        """So many offsets of an input were deleted before they were read; the topic by its full name.

        In what we write in transactions the first of them is the marker of one that was read: it is no record. Work
        goes on, for nobody can bring records back, and standing still would lose more of them.
        """
        name = self._inputs[topic]
        records = offsets - (name in MARKED)
        if records > 0:
            self.metrics.lost_records[name].inc(records)
            where = {"topic": topic, "partition": partition}
            log.error("%d records were deleted by retention before they were read", records, extra=where)

    def sized(self, topic: str, partitions: int) -> None:
        """An input has so many partitions. Those beyond the deployment's are read by nobody; told once.

        The worker goes on: if it ended, the others would be unread, too.
        """
        name = self._inputs[topic]
        unread = max(0, partitions - (1 if name == "articles" else self._partitions))
        if unread > self._unread[name]:
            log.error(
                "nobody reads the last %d of %d partitions: the topic was enlarged",
                unread,
                partitions,
                extra={"topic": topic},
            )
        self._unread[name] = unread
        self.metrics.unread_partitions[name].set(unread)

    def applied(self, changes: Changes) -> None:
        """Observe the batch of a step, before it is committed."""
        if changes.appended_ms:
            self.metrics.batch_events.observe_many(np.array([len(changes.appended_ms)]))

    def committed(self, changes: Changes, seconds: float, at_ms: int) -> None:
        """Count what a transaction of `seconds` committed at `at_ms`; only now do its events and pushes count."""
        metrics = self.metrics
        metrics.transactions.inc()
        metrics.transaction.observe_many(np.array([seconds]))
        metrics.stage["commit"].observe_many(np.array([seconds]))
        for action, count in changes.events.items():
            metrics.events[action].inc(count)
        for reason, count in changes.suppressed.items():
            metrics.suppressions[reason].inc(count)
        for side, count in changes.audience.items():
            metrics.audience_readers[side].inc(count)
        self.decided.add(sum(push.kind == "push" for push in changes.pushes), changes.suppressed)
        for (command, is_new), count in changes.commands.items():
            metrics.commands[command].inc(count * is_new)
        metrics.retract_unsure.inc(changes.unsure)
        metrics.rerouted.inc(len(changes.strays))
        metrics.late_events.inc(changes.late)
        metrics.forgotten_users.inc(changes.forgotten)
        metrics.unknown_article_events.inc(changes.unknown)
        if changes.appended_ms:
            metrics.append_to_commit.observe_many(_seconds_since(changes.appended_ms, at_ms))
        self._pushes(changes, at_ms)
        self._rejects.dropped(changes.notes, monotonic_s())
        for letter in changes.dead_letters:
            self._rejects.set_aside(self._inputs[letter.topic], letter, monotonic_s())

    def _pushes(self, changes: Changes, at_ms: int) -> None:
        triggers = set[Trigger]()
        for (kind, trigger, priority), count in Counter(map(_KINDS, changes.pushes)).items():
            if kind == "push":
                self.metrics.pushes[trigger, priority].inc(count)
                triggers.add(trigger)
            else:
                self.metrics.command_pushes[kind].inc(count)
        for trigger in triggers:
            event_at_ms = [push.event_at_ms for push in changes.pushes if push.trigger == trigger]
            self.metrics.event_to_push[trigger].observe_many(_seconds_since(event_at_ms, at_ms))


def _seconds_since(times_ms: list[int], at_ms: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.maximum(at_ms - np.array(times_ms, np.float64), 0) / 1000
