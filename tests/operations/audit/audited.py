"""What tests of the auditor share: pushes, rows, cursors and events as records, and the rules they break."""

from typing import Any

import msgspec
import numpy as np

from streamrec.contracts.event import Action, UserEvent
from streamrec.contracts.ids import key_of
from streamrec.contracts.partitioner import partition_of
from streamrec.contracts.push import ModelStamp, Push, Reason, push_id
from streamrec.contracts.records import RawRecord
from streamrec.engine.profiles.layout import LAYOUT_VERSION, NO_OVERRIDE, PUSHED, READ, ROW, SEEN
from streamrec.operations.audit.checks import check
from streamrec.operations.audit.facts import Facts
from streamrec.operations.audit.findings import Finding
from streamrec.operations.audit.pushes_against_events import SKEW_MS
from streamrec.partition.changelog_meta import Meta, layout_record
from streamrec.settings import Settings, load

T0 = 1_764_072_000_000  # 2025-11-25 12:00 UTC
MINUTE, HOUR = 60_000, 3_600_000
PARTITIONS = 4
SETTINGS = load({}, partitions=PARTITIONS, daily_cap=3, min_interval_s=3600)


def push(user: str = "ann", article: str = "a1", at_ms: int = T0, **more: Any) -> Push:
    """A push as the worker makes it."""
    fields: dict[str, Any] = {
        "push_id": push_id(user, article, 0),
        "user_id": user,
        "article_id": article,
        "article_version": 0,
        "story_id": article,
        "title": "A title",
        "deep_link": "",
        "category": "science",
        "priority": "normal",
        "created_at_ms": at_ms,
        "expires_at_ms": at_ms + 6 * HOUR,
        "collapse_id": article,
        "relevance": 0.5,
        "reason": Reason("recent_reads", {"count": 1, "category": "science"}),
        "model": ModelStamp("prior", "1", "fp32"),
        "trigger": "article",
        "event_at_ms": at_ms,
    }
    return Push(**fields | more)


def row(*pushes: Push, seen_ms: int = T0 - 24 * HOUR, **fields: Any) -> bytes:
    """A row whose ring holds these pushes."""
    packed = np.zeros(1, ROW)
    packed["layout"], packed["first_seen_s"], packed["daily_cap"] = LAYOUT_VERSION, seen_ms // 1000, 255
    packed["quiet_from_min"] = packed["quiet_to_min"] = NO_OVERRIDE
    for made in pushes:
        place = packed["n_pushes"][0] % 8
        packed["pushed_story"][0, place] = key_of(made.story_id)
        packed["pushed_at_s"][0, place] = made.created_at_ms // 1000
        seen = packed["n_pushes"][0] % SEEN
        packed["seen"][0, seen], packed["seen_acts"][0, seen] = key_of(made.article_id), PUSHED
        packed["n_pushes"] += 1
    for name, value in fields.items():
        packed[name][0, ...] = value
    return packed.tobytes()


def reads(*articles: str) -> dict[str, Any]:
    """Fields of a row that remembers these as read, and a1 as pushed."""
    acts = dict.fromkeys(articles, READ)
    acts["a1"] = acts.get("a1", 0) | PUSHED
    none = [0] * (SEEN - len(acts))
    return {"seen": [*map(key_of, acts), *none], "seen_acts": [*acts.values(), *none]}


class Cluster:
    """Topics in memory. Appending gives each record the next offset of its partition."""

    def __init__(self) -> None:
        self.logs: dict[str, dict[int, list[RawRecord]]] = {
            name: {number: [] for number in range(PARTITIONS)}
            for name in ("push", "changelog", "events", "preferences", "erasure", "dlq")
        }
        self.ends: dict[tuple[str, int], int] = {}
        self.catalog: list[RawRecord] = []

    def append(
        self,
        topic: str,
        partition: int,
        key: bytes | None,
        value: bytes | None,
        at_ms: int = T0,
        headers: tuple[tuple[str, bytes], ...] = (),
    ) -> int:
        """One record; answers with its offset."""
        log = self.logs[topic][partition]
        log.append(RawRecord(len(log), at_ms, key, value, headers))
        return len(log) - 1

    def pushes(self, *made: Push, partition: int | None = None) -> None:
        """Pushes, in order, appended when they were made; by default where their user lives."""
        for one in made:
            home = partition_of(one.user_id, PARTITIONS) if partition is None else partition
            self.append("push", home, one.user_id.encode(), msgspec.json.encode(one), one.created_at_ms)

    def row(self, user: str, value: bytes | None, partition: int | None = None) -> None:
        """A row, or a tombstone."""
        home = partition_of(user, PARTITIONS) if partition is None else partition
        self.append("changelog", home, user.encode(), value)

    def event(
        self, user: str, action: Action, article: str, at_ms: int, partition: int | None = None, **more: Any
    ) -> int:
        """An event, appended when it happened."""
        raw = UserEvent(user, action, at_ms, article, **more)
        home = partition_of(user, PARTITIONS) if partition is None else partition
        return self.append("events", home, user.encode(), msgspec.json.encode(raw), at_ms)

    def preference(self, user: str, appended_ms: int, partition: int | None = None, **said: Any) -> None:
        """A patch of what somebody wants."""
        home = partition_of(user, PARTITIONS) if partition is None else partition
        self.append("preferences", home, user.encode(), msgspec.json.encode(said), appended_ms)

    def cursor(self, partition: int, at_ms: int = T0, **cursor: int) -> None:
        """A cursor record."""
        self.append("changelog", partition, *Meta(cursor, at_ms).record(), at_ms)

    def applied(self, at_ms: int) -> None:
        """Every partition has applied all of its events by `at_ms`."""
        for number in range(PARTITIONS):
            self.cursor(number, at_ms, events=len(self.logs["events"][number]))

    def findings(
        self, settings: Settings = SETTINGS, now_ms: int = T0 + 12 * HOUR, skew_ms: int = SKEW_MS
    ) -> list[Finding]:
        """What the audit says."""
        ends = {("events", number): len(log) for number, log in self.logs["events"].items()} | self.ends
        facts = Facts.of(
            PARTITIONS,
            self.logs["push"],
            self.logs["changelog"],
            self.logs["events"],
            ends,
            dead_letters=[record for log in self.logs["dlq"].values() for record in log],
            catalog=self.catalog,
            preferences=self.logs["preferences"],
            erasure=self.logs["erasure"],
        )
        return check(facts, settings, now_ms, skew_ms)

    def broken(
        self, settings: Settings = SETTINGS, now_ms: int = T0 + 12 * HOUR, skew_ms: int = SKEW_MS
    ) -> dict[str, int]:
        """Violations of each broken rule."""
        return {found.rule: found.violations for found in self.findings(settings, now_ms, skew_ms) if found.violations}


def clean(*made: Push, user: str = "ann", **fields: Any) -> Cluster:
    """One user, these pushes, the row that follows from them, layout and cursor."""
    cluster = Cluster()
    for number in range(PARTITIONS):
        cluster.append("changelog", number, *layout_record(PARTITIONS))
    cluster.row(user, row(*made, **fields))
    cluster.applied(T0)
    cluster.pushes(*made)
    return cluster
