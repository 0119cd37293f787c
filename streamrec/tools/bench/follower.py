"""`bench follower`: how far a follower is behind a worker under load, what it costs, and what its restore takes.

The age of a row counts from its append to when the follower has applied it, so the worker's transaction is within it.
Worker, follower, load and broker share the machine.
"""

import asyncio

from ...content.encoders import encoder_of
from ...kafka.topics import create
from ...kafka.transactions import Message
from ...partition.changelog_meta import Meta, layout_record, space_record
from ...settings import Settings
from .contestants import figures_of, started
from .load import beside, send_paced
from .pipeline import bench_settings, know_articles
from .recovery import fill

WARM_S = 3.0


async def measure(cluster: Settings, per_s: float, seconds: float, users: int, partitions: int) -> dict[str, object]:
    """A worker under `per_s` clicks/s for `seconds`, and a follower that has restored `users` rows before."""
    settings = bench_settings(cluster, None).changed(partitions=partitions)
    await create(settings)
    if users:
        space = Message(*space_record(encoder_of(settings.encoder).space_id))
        last = Message(*layout_record(partitions)), space, Message(*Meta({}, 0).record())
        for number in range(partitions):
            await fill(settings, users // partitions, 0, *last, partition=number)
    await know_articles(settings)
    with started("streamrec", settings):
        async with beside(send_paced(settings, per_s, 3600.0, "p")):
            await asyncio.sleep(WARM_S)
            return {
                "clicks_per_s": per_s,
                "partitions": partitions,
                **await figures_of("follow_once", settings, str(seconds)),
            }
