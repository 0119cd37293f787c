"""The `profiles` table, declared because Faust assigns the changelog topic of a table along with the inputs.

Faust calls the table's store at each step of a rebalance, and there partitions are released and acquired. The store
holds no rows: these are columns of the partitions, written by the PartitionWriter in its transactions, and recovered in
bulk.
"""

import faust
from faust.stores import STORES
from faust.stores.memory import Store
from faust.types import TP

SCHEME = "streamrec"
STORES.aliases[SCHEME] = f"{__name__}:RebalanceHooks"


class RebalanceHooks(Store):  # type: ignore[misc]
    """What is called when partitions come and go; as a store it stays empty, and nothing is persisted."""

    async def on_rebalance(
        self, assigned: set[TP], revoked: set[TP], newly_assigned: set[TP], generation_id: int = 0
    ) -> None:
        """Let go of what is not ours any more. Before anything of this generation is handed over."""
        self.app.content.assigned(generation_id)
        changelog = self.table.changelog_topic.get_topic_name()
        await self.app.ownership.assigned({tp.partition for tp in assigned if tp.topic == changelog})

    async def on_recovery_completed(self, active_tps: set[TP], standby_tps: set[TP]) -> None:
        """Faust is done: take over the partitions. What goes wrong here ends the process."""
        try:
            await self.app.ownership.acquire(sorted(tp.partition for tp in active_tps))
        except BaseException as error:  # noqa: BLE001 - Faust would only log it
            self.app.fail(error)


def declare_profiles(app: faust.App, changelog: str, partitions: int) -> None:
    """Add the table to the app, on a changelog topic made by `streamrec topics create`."""
    topic = app.topic(changelog, key_serializer="raw", value_serializer="raw", partitions=partitions, internal=True)
    app.Table("profiles", partitions=partitions, changelog_topic=topic, store=f"{SCHEME}://profiles")
