"""One partition as a deterministic state machine: the same input gives the same state and the same pushes.

    apply(batch, now_ms)  -> Changes, in steps   decode, learn, meet articles with users
    look(now_ms)          -> Changes             users whose waiting is over meet the fresh articles
    restore(...)                                 state from the log

No broker, no clock, no randomness: the worker, replay, tests and simulation run this same code. Changes are not undone:
whoever cannot commit them throws the partition away and restores it, as if they had never been.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from operator import attrgetter
from typing import Any, NamedTuple, cast

import numpy as np

from .catalog import Catalog
from .changes import Changes, PushRecord
from .contracts.article import AnalysedArticle
from .contracts.decode import Item, Origin, Typed
from .contracts.event import UserEvent
from .contracts.push import Trigger
from .contracts.records import TOPICS, DeadLetter, Stray, Topic
from .decide import Decision, Stage, decide, waiting_s
from .intake import Batch, intake
from .learn import after_article, after_events
from .meta import Meta, same_space
from .outgoing import push_records
from .policy.config import Policy
from .policy.gates.quiet_hours import quiet_hours
from .profiles import history
from .profiles.layout import READ
from .profiles.store import IntArray, ProfileStore, Users
from .ranking.scores import Scores
from .ranking.serving import Lineup, lineup_of
from .settings import Settings
from .timeline import MERGED, EventTimeline, Run, Tick

WAKE_EVERY_MS = 60_000  # quiet hours are given in minutes


class Meeting(NamedTuple):
    """Some users and the articles they may get."""

    users: Users
    slots: IntArray
    now_ms: int
    trigger: Trigger
    lineup: Lineup


class Settled(NamedTuple):
    """What does not change while a partition lives."""

    number: int
    policy: Policy
    ranker: Scores
    chunk_users: int = 4096
    max_articles: int = 20_000
    keep_ms: int = 7 * 86_400_000
    tick_ms: int = 0  # 0 = wall time; else event time with ticks of this length
    partitions: int | None = None  # of the topics; None: every user is ours
    topics: Mapping[Topic, str] = dict(zip(TOPICS, TOPICS, strict=True))  # full names, for dead letters
    stage: Stage = nullcontext
    space_id: str = ""  # of the vectors that may come in; "": any

    @classmethod
    def of(
        cls, settings: Settings, number: int, ranker: Scores, stage: Stage = nullcontext, space_id: str = ""
    ) -> "Settled":
        """As the settings say; worker and replay without a broker use the same."""
        return cls(
            number=number,
            policy=Policy.of(settings),
            ranker=ranker,
            chunk_users=settings.chunk_users,
            max_articles=settings.max_articles,
            keep_ms=round(settings.vector_days * 86_400_000),
            tick_ms=round(settings.due_scan_s * 1000) if settings.policy_time == "event" else 0,
            partitions=settings.partitions,
            topics={topic: settings.topic(topic) for topic in TOPICS},
            stage=stage,
            space_id=space_id,
        )


class Partition:
    """State of one partition."""

    def __init__(self, settled: Settled) -> None:
        self.settled = settled
        self.profiles = ProfileStore()
        self.catalog = Catalog(settled.max_articles, settled.keep_ms)
        self.cursor: dict[str, int] = {}
        self.looked_ms = 0  # policy time of the last look for due users
        self._woke_ms = 0
        self._awaited: set[int] = set()  # keys of articles some user's event waits for (a superset)
        self._timeline = EventTimeline(settled.tick_ms) if settled.tick_ms else None

    # --- input --------------------------------------------------------------------------------------------------------

    def apply(self, batch: Batch, now_ms: int) -> Iterator[Changes]:
        """Apply a batch. Between two steps other work may be done or committed; the cursor moves with the last one."""
        with self.settled.stage("decode"):
            origin = Origin(self.settled.topics[batch.topic], self.settled.number)
            reference_ms = self._timeline.reference_ms("events") if self._timeline else None
            items = intake(batch, origin, self.settled.partitions, reference_ms)
        if self._timeline is None or batch.topic not in MERGED:
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
        if run.topic != "catalog":
            self._learn(cast(list[Typed[UserEvent]], typed), changes)
        else:
            for item in cast(list[Typed[AnalysedArticle]], typed):
                taken_in = Changes()
                slot = self._take_in(item.value, run.now_ms, taken_in)
                if taken_in:
                    yield taken_in  # with the first commit: rows in the log are never behind what decisions saw
                if slot is not None:
                    yield from map(self.meet, self._everybody(slot, run.now_ms))
        if len(typed) < len(run.items):
            changes.dead_letters += [item for item in run.items if isinstance(item, DeadLetter)]
            changes.strays += [item for item in run.items if isinstance(item, Stray)]
        changes.appended_ms += [item.appended_ms for item in typed]
        changes.notes.update((run.topic, note) for item in typed if item.notes for note in item.notes)
        self.cursor[run.topic] = changes.cursor[run.topic] = run.next_offset
        yield changes

    # --- events -------------------------------------------------------------------------------------------------------

    def _learn(self, typed: list[Typed[UserEvent]], changes: Changes) -> None:
        if not typed:
            return
        values = [item.value for item in typed]
        seen_ms = [value.at_ms for value in values] if self._timeline else [item.appended_ms for item in typed]
        with self.settled.stage("update"):
            learned = after_events(self.profiles, self.catalog, values, seen_ms, self.settled.policy)
        self._awaited.update(learned.unknown.tolist())
        changes.rows.append(learned.rows)
        changes.events.update(map(attrgetter("action"), values))
        changes.late += learned.late
        changes.unknown += len(learned.unknown)

    # --- articles -----------------------------------------------------------------------------------------------------

    def _take_in(self, article: AnalysedArticle, now_ms: int, changes: Changes) -> int | None:
        """Know this version from now on; answers with its slot if it may be pushed now."""
        same_space("an article in the catalog is", article.space_id, self.settled.space_id)
        change = self.catalog.apply(article, now_ms)
        slot = self.catalog.slot(article.article_id)
        assert slot is not None
        key = int(self.catalog["key"][slot])
        if key in self._awaited:
            self._awaited.discard(key)
            changes.rows.append(after_article(self.profiles, self.catalog, slot, self.settled.policy))
        return slot if change in ("new", "updated") and slot in self.catalog.fresh(now_ms) else None

    def _everybody(self, slot: int, now_ms: int) -> Iterator[Meeting]:
        """An article meets everybody, a chunk of users a step; users who come later find it when they are due."""
        chunk, everybody = self.settled.chunk_users, len(self.profiles)
        lineup = lineup_of(self.settled.ranker)  # one for the whole article, whatever is promoted meanwhile
        for start in range(0, everybody, chunk):
            users = Users(self.profiles, slice(start, min(start + chunk, everybody)))
            yield Meeting(users, np.array([slot]), now_ms, "article", lineup)

    # --- users who are due --------------------------------------------------------------------------------------------

    def look(self, now_ms: int) -> Changes:
        """Users whose waiting is over meet the fresh articles; articles whose embargo ended meet everybody.

        A wall clock that is put back is followed: what ends between its two times would not be noticed otherwise.
        """
        changes = Changes()
        for meeting in self.due(now_ms):
            changes.merge(self.meet(meeting))
        return changes

    def fails(self, meeting: Meeting) -> bool:
        """Whether a decision would raise."""
        try:
            for scores, mine in meeting.lineup.shares(meeting.users):
                self._decision(scores, meeting._replace(users=mine))
        except Exception:  # noqa: BLE001 - whatever an article provokes
            return True
        return False

    def due(self, now_ms: int) -> Iterator[Meeting]:
        """What `look` decides, each before the next is asked for: whoever gets a push is due no more."""
        for slot in self.catalog.opening(self.looked_ms or now_ms, now_ms).tolist():
            yield from self._everybody(slot, now_ms)
        due_at_s = self.profiles["due_at_s"]
        due = (due_at_s > 0) & (due_at_s <= now_ms // 1000)
        if now_ms // WAKE_EVERY_MS != self._woke_ms // WAKE_EVERY_MS:
            due |= self._woke(now_ms)
        self.looked_ms = now_ms
        rows = np.flatnonzero(due)
        if len(rows):
            fresh, lineup = self.catalog.fresh(now_ms), lineup_of(self.settled.ranker)
            for start in range(0, len(rows), self.settled.chunk_users):
                users = Users(self.profiles, rows[start : start + self.settled.chunk_users])
                yield Meeting(users, fresh, now_ms, "due", lineup)

    def _woke(self, now_ms: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Users whose quiet hours ended since the last time this was asked, (R,)."""
        users, policy = Users(self.profiles, slice(None)), self.settled.policy
        before_s, self._woke_ms = self._woke_ms // 1000, now_ms
        if not before_s or not len(users):
            return np.zeros(len(users), np.bool_)
        return np.asarray(
            (quiet_hours(users, before_s, policy) > 0) & (quiet_hours(users, now_ms // 1000, policy) == 0)
        )

    def meet(self, meeting: Meeting) -> Changes:
        """Each model decides for its own users; what one user gets does not depend on the others."""
        changes = Changes()
        for scores, mine in meeting.lineup.shares(meeting.users):
            changes.merge(self._decide_with(scores, meeting._replace(users=mine)))
        return changes

    def _decide_with(self, scores: Scores, meeting: Meeting) -> Changes:
        decision, pushes = self._decision(scores, meeting)
        changes = Changes(suppressed=Counter(decision.suppressed))
        columns, now_s = self.profiles.columns, meeting.now_ms // 1000
        if len(decision.rows):
            changes.pushes += pushes
            keys, stories = self.catalog["key"][decision.slots], self.catalog["story"][decision.slots]
            left = history.after_push(self.profiles, decision.rows, keys, stories, now_s, self.catalog)
            self.catalog.after_reads(left, -1)
            changes.rows.append(decision.rows)
        if meeting.trigger == "due":  # not logged by itself: `restore` computes it again
            columns["due_at_s"][meeting.users.indices()] = waiting_s(decision.opens_s)
        if len(decision.rows):
            columns["due_at_s"][decision.rows] = now_s + self.settled.policy.min_interval_s
        return changes

    def _decision(self, scores: Scores, meeting: Meeting) -> tuple[Decision, list[PushRecord]]:
        """What is to be done; changes nothing."""
        users, slots, now_ms, trigger, _ = meeting
        policy = self.settled.policy
        decision = decide(users, self.catalog, slots, now_ms, scores, policy, self.settled.stage)
        if not len(decision.rows):
            return decision, []
        return decision, push_records(decision, self.profiles, self.catalog, trigger, now_ms, policy, scores.stamp)

    # --- the log ------------------------------------------------------------------------------------------------------

    def encode(self, rows: IntArray) -> list[tuple[bytes, bytes]]:
        """Changelog records of these rows and of the cursor."""
        return [*self.profiles.encode(rows), Meta(self.cursor, self.looked_ms).record()]

    def restore(
        self, rows: Iterable[tuple[bytes, bytes]], meta: Meta, articles: Sequence[Item[AnalysedArticle]]
    ) -> None:
        """State from the changelog, and from the part of `catalog` before the cursor. Call once, on a new partition."""
        self.profiles.restore(rows)
        self.cursor = dict(meta.cursor)
        self.looked_ms = self._woke_ms = meta.looked_ms
        self.catalog.after_reads(self.profiles["seen"][(self.profiles["seen_acts"] & READ) > 0], 1)
        for item in articles:
            if isinstance(item, Typed):
                same_space("an article in the catalog is", item.value.space_id, self.settled.space_id)
                self.catalog.apply(item.value, max(meta.looked_ms, item.value.known_at_ms))
        waiting = self.profiles["waiting"]["article"]
        self._awaited = set(waiting[waiting > 0].tolist())
        self._restore_due()
        if self._timeline is not None:
            self._timeline.clock_ms = meta.looked_ms

    def _restore_due(self) -> None:
        """Users the log says were due have been looked at; those whose gate was closed wait for it to open."""
        due_at_s, looked_s = self.profiles["due_at_s"], self.looked_ms // 1000
        handled = np.flatnonzero((due_at_s > 0) & (due_at_s <= looked_s))
        if len(handled):
            users, nothing = Users(self.profiles, handled), np.empty(0, np.intp)
            settled = self.settled
            decision = decide(users, self.catalog, nothing, self.looked_ms, settled.ranker, settled.policy)
            due_at_s[handled] = waiting_s(decision.opens_s)
