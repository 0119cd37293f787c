"""One partition as a deterministic state machine: the same input gives the same state and the same pushes.

    apply(batch, now_ms)    -> Changes, in steps    decode, learn, take articles in
    article_meeting(now_ms) -> Meeting              the next chunk of users meets the article whose turn it is
    due(now_ms)             -> Meetings             users whose waiting is over meet the fresh articles
    meet(meeting)           -> Changes              decide, push

Its state, and how that goes to the log and comes from there, is in state.py.

With `at_once` an article that is applied meets everybody within `apply`; a worker's writer has it meet them in steps of
its own, between which events have their turn. While `holds` is set nobody meets anything: records are applied, and
articles wait (article_queue.py).

No broker, no clock, no randomness: the worker, replay, tests and simulation run this same code. Changes are not undone:
whoever cannot commit them throws the partition away and restores it, as if they had never been.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np

from ..contracts.article import AnalysedArticle
from ..contracts.control import Command
from ..contracts.decode import Origin, Typed
from ..contracts.erasure import Erasure
from ..contracts.event import UserEvent
from ..contracts.inputs import IN_TIME
from ..contracts.preferences import Patch
from ..contracts.records import DeadLetter, Stray, Topic
from ..decide import Decision, decide, waiting_s
from ..engine.learn import after_article, after_events
from ..engine.predictor import Predictor
from ..engine.prefer import after_preferences
from ..engine.profiles import history
from ..engine.profiles.store import Users
from ..engine.unprofiled import without_teaching
from ..models.serving import lineup_of
from .changelog_meta import same_space
from .changes import Changes, PushRecord
from .context import Meeting, PartitionContext
from .due_times import woke
from .erasures import forgotten
from .inputs import READINGS
from .intake import Batch, intake
from .push_records import push_records
from .state import WAKE_EVERY_MS, Logged, PartitionState
from .timeline import Run, Tick

__all__ = ["Logged", "Meeting", "Partition", "PartitionContext"]


def _nothing(article_id: str) -> bool:
    """No correction leaves while pushes are held back."""
    return False


class Partition(PartitionState):
    """One partition: its state is changed by what is applied, and says who is pushed what."""

    # --- input --------------------------------------------------------------------------------------------------------

    def apply(self, batch: Batch, now_ms: int) -> Iterator[Changes]:
        """Apply a batch. Between two steps other work may be done or committed; the cursor moves with the last one."""
        with self.context.stage("decode"):
            origin = Origin(self.context.topics[batch.topic], self.context.number)
            reference_ms = self._timeline.reference_ms("events") if self._timeline else None
            items = intake(batch, origin, self.context.partitions, reference_ms)
        if self._timeline is None or batch.topic not in IN_TIME:
            yield from self._run(Run(batch.topic, items, batch.next_offset, now_ms))
            return
        self._timeline.add(batch.topic, items)
        for moment in self._timeline.release():
            if isinstance(moment, Tick):
                yield self.look(moment.now_ms)
            else:
                yield from self._run(moment)

    def held(self, topic: Topic) -> int:
        """Records taken in and waiting for the other topic's watermark; none in wall time."""
        return self._timeline.held(topic) if self._timeline else 0

    def _run(self, run: Run) -> Iterator[Changes]:
        changes = Changes()
        typed = [item for item in run.items if isinstance(item, Typed)]
        if typed:
            yield from READINGS[run.topic].apply(self, typed, run.now_ms, changes)
        if len(typed) < len(run.items):
            changes.dead_letters += [item for item in run.items if isinstance(item, DeadLetter)]
            changes.strays += [item for item in run.items if isinstance(item, Stray)]
        changes.appended_ms += [item.appended_ms for item in typed]
        changes.notes.update((run.topic, note) for item in typed if item.notes for note in item.notes)
        self.cursor[run.topic] = changes.cursor[run.topic] = run.next_offset
        yield changes

    # --- readers (called by the modules in partition/inputs) ----------------------------------------------------------

    def _seen_ms(self, typed: Sequence[Typed[Any]]) -> list[int]:
        return [item.value.at_ms if self._timeline else item.appended_ms for item in typed]

    def learn(self, typed: list[Typed[UserEvent]], changes: Changes) -> None:
        """What readers did."""
        typed = self.erasures.since(typed, self.profiles)
        if not typed:
            return
        values, context = [item.value for item in typed], self.context
        seen_ms = self._seen_ms(typed)
        with context.stage("update"):
            taught = without_teaching(self.profiles, values)
            learned = after_events(self.profiles, self.catalog, taught, seen_ms, context.policy, context.understand)
        self._unknown.add(learned.unknown, self.profiles)
        changes.rows.append(learned.rows)
        changes.events.update(map(attrgetter("action"), values))
        changes.late += learned.late
        changes.unknown += len(learned.unknown)

    def erase(self, erasure: Erasure, changes: Changes) -> None:
        """Forget a reader, and what is older than that of them, by its own time, for good (erasures.py)."""
        rows, receipt = forgotten(self.profiles, self.catalog, erasure)
        self.erasures.add(erasure.user_id, receipt)
        changes.rows.append(rows)

    def prefer(self, typed: list[Typed[Patch]], changes: Changes) -> None:
        """What readers have said they want."""
        typed = self.erasures.since(typed, self.profiles)
        with self.context.stage("update"):
            rows = after_preferences(self.profiles, self.catalog, [item.value for item in typed], self._seen_ms(typed))
        changes.rows.append(rows)

    def command(self, typed: list[Typed[Command]], now_ms: int, changes: Changes) -> None:
        """What editors and operators have said."""
        self.steering.apply([item.value for item in typed], now_ms, changes)

    # --- articles -----------------------------------------------------------------------------------------------------

    def take_in(self, article: AnalysedArticle, now_ms: int, changes: Changes) -> bool:
        """Know this version from now on; whether it may be pushed now."""
        same_space("an article in the catalog is", article.space_id, self.context.space_id)
        change = self.catalog.apply(article, now_ms)
        slot = self.catalog.slot(article.article_id)
        assert slot is not None
        self.steering.took_in(article, change, now_ms)
        if self._unknown.take(int(self.catalog["key"][slot])):
            changes.rows.append(after_article(self.profiles, self.catalog, slot, self.context.policy))
        return change in ("new", "updated") and slot in self.catalog.fresh(now_ms)

    def article_meeting(self, now_ms: int) -> Meeting | None:
        """The next chunk of users meets the article whose turn it is; users who come later find it when they are due.

        An article that is withdrawn, expired or under embargo by now meets nobody.
        """
        queue, everybody = self.queue, len(self.profiles)
        while not self.held_back and (article_id := queue.head()) is not None:
            slot = self.catalog.slot(article_id)
            if queue.start >= everybody or slot is None or slot not in self.catalog.fresh(now_ms):
                queue.head_is_done()
                continue
            start, queue.start = queue.start, min(queue.start + self.context.chunk_users, everybody)
            queue.lineup = queue.lineup or lineup_of(self.context.ranker)
            users = self.profiles.everybody(start, queue.start)
            meeting = Meeting(users, np.array([slot]), now_ms, "article", queue.lineup)
            if queue.start >= everybody:
                queue.head_is_done()
            return meeting
        return None

    def wave(self, now_ms: int) -> Changes | None:
        """The next readers whose push an editor took back or corrected; None: there are none.

        What is taken back leaves at once; what is corrected waits where pushes do.
        """
        ttl_ms, chunk = self.context.policy.push_ttl_ms, self.context.chunk_users
        may_correct = _nothing if self.held_back else self.steering.may_correct
        return self.steering.waves.step(self.profiles, self.catalog, now_ms, ttl_ms, chunk, may_correct)

    def work_off(self, now_ms: int) -> Iterator[Changes]:
        """All waves and all articles in the queue, at once."""
        yield from iter(partial(self.wave, now_ms), None)
        yield from map(self.meet, self.waiting(now_ms))

    def waiting(self, now_ms: int) -> Iterator[Meeting]:
        """Meetings of all articles in the queue; each is to be met before the next is asked for."""
        return iter(partial(self.article_meeting, now_ms), None)

    # --- users who are due --------------------------------------------------------------------------------------------

    def look(self, now_ms: int) -> Changes:
        """All steps of one moment at once: forget who was silent, then waiting articles and users who are due."""
        changes = self.forget_silent(now_ms)
        self.open(now_ms)
        for step in self.work_off(now_ms):
            changes.merge(step)
        for meeting in self.due(now_ms):
            changes.merge(self.meet(meeting))
        return changes

    def meetings(self, now_ms: int) -> Iterator[Meeting]:
        """Articles that wait, then users who are due; each is to be met before the next is asked for."""
        self.open(now_ms)
        yield from self.waiting(now_ms)
        yield from self.due(now_ms)

    def open(self, now_ms: int) -> None:
        """Queue the articles whose embargo or future publication time has ended since the last look.

        A wall clock that is put back is followed: what ends between its two times would not be noticed otherwise.
        """
        self.steering.lift_ended(now_ms)
        if self.held_back:
            return
        since_ms = self._opened_ms or now_ms
        for slot in self.catalog.opening(since_ms, now_ms).tolist():
            article = self.catalog.articles[slot]
            assert article is not None
            self.queue.opened(article.article_id, since_ms)
        self._opened_ms = now_ms

    def forget_silent(self, now_ms: int) -> Changes:
        """Let users leave of whom nothing was seen for long, some at a time; once an hour it is asked who they are."""
        rows, left = self._eviction.evict(self.profiles, self.looked_ms, now_ms, self.context.policy.forget_after_s)
        self.catalog.after_reads(left, -1)
        old = self.erasures.forget_old(now_ms)
        return Changes(rows=[rows] * (len(rows) > 0 or old), forgotten=len(rows))

    def fails(self, meeting: Meeting) -> bool:
        """Whether deciding on this meeting would raise; it changes nothing."""
        try:
            for predictor, mine in meeting.lineup.shares(meeting.users):
                self._decision(predictor, meeting._replace(users=mine))
        except Exception:  # noqa: BLE001 - whatever an article provokes
            return True
        return False

    def due(self, now_ms: int) -> Iterator[Meeting]:
        """Users whose waiting is over meet the fresh articles. It counts as a look when the last of them has.

        Where it ends early, because pushes are held back, the next one finds those who are left.
        """
        wakes = now_ms // WAKE_EVERY_MS != self._woke_ms // WAKE_EVERY_MS
        due_at_s = self.profiles["due_at_s"]
        due = (due_at_s > 0) & (due_at_s <= now_ms // 1000)
        newly = woke(self.profiles, self.context.policy, self._woke_ms, now_ms) if wakes else due
        rows = np.flatnonzero(due | newly)
        fresh, lineup = self.catalog.fresh(now_ms), lineup_of(self.context.ranker)
        for start in range(0, len(rows), self.context.chunk_users):
            if self.held_back:
                return
            users = Users(self.profiles, rows[start : start + self.context.chunk_users])
            yield Meeting(users, fresh, now_ms, "due", lineup)
        if not self.held_back:
            self.looked_ms, self._woke_ms = now_ms, now_ms if wakes else self._woke_ms

    def meet(self, meeting: Meeting) -> Changes:
        """Decide and push, each model for its own users; what one user gets does not depend on the others."""
        changes = Changes(all_met=meeting.trigger == "article" and not self.queue and not self.at_once)
        for predictor, mine in meeting.lineup.shares(meeting.users):
            changes.merge(self._decide_with(predictor, meeting._replace(users=mine)))
        return changes

    def _decide_with(self, predictor: Predictor, meeting: Meeting) -> Changes:
        decision, pushes = self._decision(predictor, meeting)
        changes = Changes(suppressed=Counter(decision.suppressed))
        columns, now_s = self.profiles.columns, meeting.now_ms // 1000
        if len(decision.rows):
            changes.pushes += pushes
            told = self.catalog["key"][decision.slots], self.catalog["story"][decision.slots]
            self.catalog.after_reads(history.after_push(self.profiles, decision.rows, *told, now_s, self.catalog), -1)
            changes.rows.append(decision.rows)
        if meeting.trigger == "article" and self.catalog["addressed"][meeting.slots].any():
            outside = decision.suppressed.get("outside_audience", 0)
            inside = int((decision.opens_s == 0).sum()) - outside
            changes.audience["inside"], changes.audience["outside"] = inside, outside
        if meeting.trigger == "due":  # not logged by itself: `restore` computes it again
            columns["due_at_s"][meeting.users.indices()] = self.steering.sooner(waiting_s(decision.opens_s))
        if len(decision.rows):
            columns["due_at_s"][decision.rows] = now_s + self.context.policy.min_interval_s
        return changes

    def _decision(self, predictor: Predictor, meeting: Meeting) -> tuple[Decision, list[PushRecord]]:
        """The decision on a meeting, and its pushes as bytes; it changes nothing."""
        users, slots, now_ms, trigger, _ = meeting
        policy = self.steering.policy
        decision = decide(users, self.catalog, slots, now_ms, predictor, policy, self.context.stage)
        if not len(decision.rows):
            return decision, []
        return decision, push_records(decision, self.profiles, self.catalog, trigger, now_ms, policy, predictor.stamp)
