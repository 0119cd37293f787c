"""The `profiles` Table: declared through Faust, backed by the columns of our partitions.

Faust keeps what it is good at (changelog topic, co-partitioned assignment, group membership); rows are written by the
PartitionWriter in its transactions and recovered in bulk. The table is read-only for agents: `app.tables` shows rows as
bytes by user id.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import faust
import numpy as np
from faust.stores import STORES
from faust.stores.base import SerializedStore
from faust.types import TP

from .ownership import Ownership

SCHEME = "streamrec"
STORES.aliases[SCHEME] = f"{__name__}:ProfileRows"


class ProfileRows(SerializedStore):  # type: ignore[misc]
    """Faust's view of the profile columns; its rebalance hooks acquire and release partitions."""

    @property
    def _ownership(self) -> Ownership:
        ownership: Ownership = self.app.ownership
        return ownership

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Let go of what is not ours any more. Before anything of this generation is handed over."""
        self.app.content.assigned(generation_id)
        await self._ownership.assigned({tp.partition for tp in assigned if tp.topic == self._changelog})

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Faust is done: take over the partitions. What goes wrong here ends the process."""
        try:
            await self._ownership.acquire(sorted(tp.partition for tp in active_tps))
        except BaseException as error:  # noqa: BLE001 - Faust would only log it
            self.app.fail(error)

    async def on_stop(self) -> None:
        """Commit what was offered, and release the partitions, when the worker stops."""
        await self._ownership.release()

    @property
    def _changelog(self) -> str:
        name: str = self.table.changelog_topic.get_topic_name()
        return name

    def persisted_offset(self, tp: TP) -> int | None:
        """Not kept: there is nothing for Faust to recover (BatchConsumer.highwaters)."""
        return None

    def apply_changelog_batch(self, batch: Iterable[Any], to_key: Any, to_value: Any) -> None:
        """Only here because Faust asks for it: partitions recover their changelog themselves, so it is never called."""

    def _partitions(self) -> Iterator[Any]:
        return (writer.partition for writer in self._ownership.writers.values())

    def _get(self, key: bytes) -> bytes | None:
        for partition in self._partitions():
            row = partition.profiles.row(key.decode())
            if row is not None:
                value: bytes = partition.profiles.encode(np.array([row], np.intp))[0][1]
                return value
        return None

    def _set(self, key: bytes, value: bytes | None) -> None:
        raise NotImplementedError("profiles are written by the PartitionWriter only")

    def _del(self, key: bytes) -> None:
        raise NotImplementedError("profiles are written by the PartitionWriter only")

    def reset_state(self) -> None:
        """Does nothing: there are no local files to clear, because all state is in Kafka."""

    async def backup_partition(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("the changelog is the backup")

    def restore_backup(self, *args: Any, **kwargs: Any) -> None:
        raise NotImplementedError("the changelog is the backup")

    def _clear(self) -> None:
        raise NotImplementedError("profiles are written by the PartitionWriter only")

    def _iterkeys(self) -> Iterator[bytes]:
        return (user.encode() for partition in self._partitions() for user in partition.profiles)

    def _itervalues(self) -> Iterator[bytes | None]:
        return (self._get(key) for key in self._iterkeys())

    def _iteritems(self) -> Iterator[tuple[bytes, bytes]]:
        return ((key, self._get(key) or b"") for key in self._iterkeys())

    def _size(self) -> int:
        return sum(partition.profiles.count() for partition in self._partitions())

    def _contains(self, key: bytes) -> bool:
        return self._get(key) is not None


def declare_profiles(app: faust.App, changelog: str, partitions: int) -> Any:
    """The table, on a changelog topic made by `streamrec topics create`."""
    topic = app.topic(changelog, key_serializer="raw", value_serializer="raw", partitions=partitions, internal=True)
    return app.Table(
        "profiles",
        partitions=partitions,
        key_type=bytes,
        value_type=bytes,
        changelog_topic=topic,
        store=f"{SCHEME}://profiles",
    )
