"""A partition that writes its changelog to a list, and a replica that reads it: what tests of the follower share."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np
from making import T0, Feed

from streamrec.contracts.records import RawRecord
from streamrec.engine.policy.config import Policy
from streamrec.follower.replica import Replica
from streamrec.partition.changes import Changes
from streamrec.partition.partition import Partition
from streamrec.partition.steering import Steering
from streamrec.worker.recovery.recovery import Recovered


class Owner:
    """Applies records as a worker does, and keeps the changelog and the catalog that it would write and read."""

    def __init__(self, partition: Partition) -> None:
        self.partition, self.feed = partition, Feed(partition)
        self.changelog: list[RawRecord] = []
        self.catalog: list[RawRecord] = []

    def events(self, *events: Any, now_ms: int = T0) -> Changes:
        """Apply and log events."""
        return self._logged(self.feed.events(*events, now_ms=now_ms), now_ms)

    def articles(self, *articles: Any, now_ms: int = T0) -> Changes:
        """Write articles to the catalog, then apply and log them."""
        start = self.feed.offsets["catalog"]
        for at, article in enumerate(articles, start):
            raw = article if isinstance(article, bytes) else msgspec.json.encode(article)
            self.catalog.append(RawRecord(at, now_ms, b"a", raw))
        return self._logged(self.feed.articles(*articles, now_ms=now_ms), now_ms)

    def of(self, *batches: Sequence[Any], now_ms: int = T0) -> Changes:
        """Apply batches of anything, each of one kind, and log them in one transaction."""
        changes = Changes()
        for values in batches:
            changes.merge(self.feed.of(values, now_ms))
        return self._logged(changes, now_ms)

    def look(self, now_ms: int) -> Changes:
        """Let those who are due have their push."""
        return self._logged(self.partition.look(now_ms), now_ms)

    def _logged(self, changes: Changes, now_ms: int) -> Changes:
        rows = np.unique(np.concatenate(changes.rows)) if changes.rows else np.empty(0, np.intp)
        for key, value in self.partition.encode(rows):
            self.changelog.append(RawRecord(len(self.changelog), now_ms, key, value))
        return changes


def replica_of(partition: Partition) -> Replica:
    """A replica whose log was empty."""
    return Replica(partition, 1, Recovered(0, 0, 0, 0.0, {}, 0), "changelog")


def followed(owner: Owner, replica: Replica, pieces: Sequence[int] = ()) -> Replica:
    """The replica after it has read all, the changelog in pieces that end at these offsets."""
    replica.take_catalog(owner.catalog)
    ends = [*sorted(set(pieces)), len(owner.changelog)]
    for start, end in zip([0, *ends], ends, strict=False):
        if owner.changelog[start:end]:
            replica.take_changelog(owner.changelog[start:end])
    return replica


def under(partition: Partition, policy: Policy) -> Partition:
    """The same partition, from now on by another policy of the settings."""
    partition.context = partition.context._replace(policy=policy)
    partition.steering = Steering(policy, partition.catalog, partition.queue)
    return partition
