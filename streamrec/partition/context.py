"""What a partition is given once and keeps while it lives, and what its meetings are made of."""

from collections.abc import Mapping
from contextlib import nullcontext
from typing import NamedTuple

from ..arrays import IndexArray
from ..content.query import Queries, Understand, teaches_nothing
from ..contracts.push import Trigger
from ..contracts.records import TOPICS, Topic
from ..decide import Stage
from ..engine.policy.config import Policy
from ..engine.predictor import Predictor
from ..engine.profiles.store import Users
from ..models.serving import Lineup
from ..settings import Settings


class Meeting(NamedTuple):
    """Some users and the articles each of them may get: what one call of `decide` is about."""

    users: Users
    slots: IndexArray
    now_ms: int
    trigger: Trigger
    lineup: Lineup


class PartitionContext(NamedTuple):
    """What a partition is given once and keeps while it lives: its number, policy, ranker, sizes and topics."""

    number: int
    policy: Policy
    ranker: Predictor
    chunk_users: int = 4096
    max_articles: int = 20_000
    keep_ms: int = 7 * 86_400_000
    tick_ms: int = 0  # 0 = wall time; else event time with ticks of this length
    partitions: int | None = None  # of the topics; None: every user is ours
    topics: Mapping[Topic, str] = dict(zip(TOPICS, TOPICS, strict=True))  # full names, for dead letters
    stage: Stage = nullcontext
    space_id: str = ""  # of the vectors that may come in; "": any
    understand: Understand = teaches_nothing  # what was searched for, in that space

    @classmethod
    def of(
        cls,
        settings: Settings,
        number: int,
        ranker: Predictor,
        stage: Stage = nullcontext,
        queries: Queries | None = None,
    ) -> "PartitionContext":
        """The context as settings say, for the worker and a replay without a broker; the space is that of `queries`."""
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
            space_id=queries.space_id if queries else "",
            understand=queries.understand if queries else teaches_nothing,
        )
