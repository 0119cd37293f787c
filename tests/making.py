"""Small makers shared by tests: articles, events, a partition without a broker."""

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from streamrec.arrays import FloatArray
from streamrec.content.pipeline import Analysed, CatalogRecord
from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.control import Command
from streamrec.contracts.erasure import Erasure
from streamrec.contracts.event import UserEvent
from streamrec.contracts.preferences import Patch
from streamrec.contracts.push import ModelStamp, Push
from streamrec.contracts.records import RawRecord, Topic
from streamrec.datasets.simulated.log import SimulatedLog
from streamrec.engine.policy.config import Policy
from streamrec.partition.changes import Changes
from streamrec.partition.intake import Batch
from streamrec.partition.partition import Partition, PartitionContext
from streamrec.settings import load

T0 = 1_764_072_000_000  # 2025-11-25 12:00 UTC, a Tuesday
HOUR = 3_600_000
DAY = 24 * HOUR


class AffinityScores:
    """A scorer whose P(click) is the first scalar feature, the affinity: tests see through it."""

    stamp = ModelStamp("affinity", "1", "fp32")

    def probability(self, x: FloatArray) -> FloatArray:
        """Affinity, capped to 0..1."""
        return np.clip(x[:, 64], 0, 1)


def unit_vector(seed: int) -> bytes:
    """64 float32 of length one."""
    vector = np.random.default_rng(seed).normal(size=64).astype("<f4")
    return bytes((vector / np.linalg.norm(vector)).astype("<f4").tobytes())


def article(article_id: str = "a1", **changed: Any) -> AnalysedArticle:
    """A fresh article; its vector follows from `topic` (default: its id)."""
    topic = changed.pop("topic", article_id)
    fields: dict[str, Any] = {
        "article_id": article_id,
        "version": 1,
        "status": "published",
        "title": f"Title of {article_id}",
        "category": "science",
        "source": "science-desk",
        "language": "en",
        "keywords": (),
        "story_id": article_id,
        "deep_link": "",
        "published_at_ms": T0,
        "known_at_ms": T0,
        "expires_at_ms": T0 + DAY,
        "embargo_until_ms": 0,
        "breaking": 0,
        "vector": unit_vector(zlib.crc32(topic.encode())),
        "space_id": "test",
    } | changed
    fields.setdefault("digest", zlib.crc32(repr(sorted(fields.items())).encode()))
    return AnalysedArticle(**fields)


def written(done: Analysed) -> list[CatalogRecord]:
    """The articles among what a pipeline writes to `catalog`: without marks, which have no value."""
    return [record for record in done.catalog if record.value]


def policy(**changed: Any) -> Policy:
    """A policy under which nothing is suppressed but by what a test asks for."""
    open_all: dict[str, Any] = {
        "session_gap_s": 0,
        "min_interval_s": 0,
        "quiet_from": "00:00",
        "quiet_to": "00:00",
        "daily_cap": 8,
        "min_score": 0.1,
        "min_affinity": 0.1,
    }
    return Policy.of(load({}, **(open_all | changed)))


def partition(number: int = 0, tick_ms: int = 0, chunk_users: int = 4096, **changed: Any) -> Partition:
    """A partition with the affinity scorer."""
    return Partition(
        PartitionContext(number, policy(**changed), AffinityScores(), chunk_users=chunk_users, tick_ms=tick_ms)
    )


class Feed:
    """Gives records their offsets and applies them."""

    def __init__(self, to: Partition) -> None:
        self.to = to
        self.offsets: dict[str, int] = {"events": 0, "catalog": 0, "preferences": 0, "control": 0, "erasure": 0}

    def events(self, *events: UserEvent | bytes, now_ms: int = T0, appended_ms: int | None = None) -> Changes:
        """Apply user events, as one batch."""
        return self._apply("events", events, now_ms, appended_ms)

    def articles(self, *articles: AnalysedArticle | bytes, now_ms: int = T0) -> Changes:
        """Apply catalog records, as one batch."""
        return self._apply("catalog", articles, now_ms, None)

    def commands(self, *commands: Command | bytes) -> Changes:
        """Apply commands, as one batch, when the last of them was said."""
        said_ms = [command.at_ms for command in commands if isinstance(command, Command)]
        return self._apply("control", commands, max(said_ms, default=T0), None)

    def of(self, values: Sequence[UserEvent | Patch | Erasure], now_ms: int = T0 + DAY) -> Changes:
        """Apply events, erasures, or patches of preferences, as one batch."""
        if isinstance(values[0], Erasure):
            return self._apply("erasure", values, now_ms, None)
        if not isinstance(values[0], Patch):
            return self._apply("events", values, now_ms, None)
        return self._apply(
            "preferences", [patch_record(value) for value in values if isinstance(value, Patch)], now_ms, None
        )

    def _apply(self, topic: Topic, values: Sequence[Any], now_ms: int, appended_ms: int | None) -> Changes:
        records = []
        for value in values:
            if isinstance(value, RawRecord):
                records.append(value._replace(offset=self.offsets[topic]))
            else:
                raw = value if isinstance(value, bytes) else msgspec.json.encode(value)
                records.append(RawRecord(self.offsets[topic], appended_ms or now_ms, None, raw))
            self.offsets[topic] += 1
        return applied(self.to, Batch(topic, records, self.offsets[topic]), now_ms)


def applied(to: Partition, batch: Batch, now_ms: int = T0) -> Changes:
    """All changes of one batch."""
    changes = Changes()
    for step in to.apply(batch, now_ms):
        changes.merge(step)
    return changes


def patch_record(patch: Patch) -> RawRecord:
    """A patch as a producer would have written it; a tombstone, which has no time of its own, came at that time."""
    if patch.resets:
        return RawRecord(0, patch.at_ms, patch.user_id.encode(), None)
    said: dict[str, Any] = {"at_ms": patch.at_ms}
    for name, value in patch.said.items():
        kind, _, named = name.partition("/")
        if named:
            said.setdefault(kind, {})[named] = value
        else:
            said[name] = value
    return RawRecord(0, T0 + DAY, patch.user_id.encode(), msgspec.json.encode(said))


def click(user_id: str = "u1", article_id: str = "a1", at_ms: int = T0, **more: Any) -> UserEvent:
    """A click."""
    return UserEvent(user_id=user_id, action="click", at_ms=at_ms, article_id=article_id, **more)


def pushes(changes: Changes) -> list[Push]:
    """Pushes as a gateway reads them."""
    return [msgspec.json.decode(push.value, type=Push) for push in changes.pushes]


def columns(state: Partition) -> dict[str, bytes]:
    """All columns, in the order of user ids."""
    order = np.argsort(np.array(state.profiles.users, dtype=object)) if len(state.profiles) else np.empty(0, np.intp)
    return {name: state.profiles[name][order].tobytes() for name in state.profiles.columns}


def globo_clicks(path: Path, n_users: int) -> Path:
    """Clicks of so many simulated readers, as a file in Globo's format."""
    numbers: dict[str, int] = {}
    lines = ["user_id,click_article_id,click_timestamp"]
    for at_ms, record in SimulatedLog(seed=5, n_users=n_users, hours=8, visits_per_user_day=20):
        if isinstance(record, UserEvent) and record.action == "click":
            article = numbers.setdefault(record.article_id, len(numbers))
            lines.append(f"{record.user_id[1:].lstrip('0') or 0},{article},{at_ms}")
    path.write_text("\n".join(lines) + "\n")
    return path
