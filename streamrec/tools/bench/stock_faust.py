"""Baseline: Faust as it comes, tuned by its documented settings, doing the same work an event at a time.

Parse, one table write of a row as large as ours, a decision (the user's first click), a push. Run as
`python -m streamrec.tools.bench.stock_faust BROKERS PREFIX PARTITIONS`.
"""

import sys
import tempfile
from typing import Any

import faust
import orjson

from ...engine.profiles.layout import ROW


def stock_app(brokers: str, prefix: str, partitions: int, **others: Any) -> faust.App:
    """An app of stock Faust as both benches use it: tables in memory, nothing replicated, large polls."""
    return faust.App(
        f"{prefix}stock",
        broker=[f"kafka://{server}" for server in brokers.split(",")],
        store="memory://",
        topic_partitions=partitions,
        topic_disable_leader=True,
        table_standby_replicas=0,
        broker_max_poll_records=4000,
        web_enabled=False,
        datadir=tempfile.mkdtemp(prefix="streamrec-bench-"),
        **others,
    )


def build(brokers: str, prefix: str, partitions: int) -> faust.App:
    """The app; producer_linger and batch size are the levers that help (30 %)."""
    app = stock_app(
        brokers, prefix, partitions, producer_linger=0.05, producer_max_batch_size=262_144,
        broker_commit_interval=0.2, consumer_auto_offset_reset="earliest",
    )  # fmt: skip
    events = app.topic(f"{prefix}events", key_serializer="raw", value_serializer="raw")
    push = app.topic(f"{prefix}push", key_serializer="raw", value_serializer="raw")
    table = app.Table("rows", partitions=partitions, key_type=bytes, value_type=bytes)
    row = bytes(ROW.itemsize)

    @app.agent(events)
    async def decide(stream: Any) -> None:
        async for event in stream.events():
            click = orjson.loads(event.value)
            key = event.key
            is_new = key not in table
            table[key] = row
            if is_new:
                await push.send(
                    key=key, value=orjson.dumps({"user_id": click["user_id"], "event_at_ms": click["at_ms"]})
                )

    return app


def main() -> None:
    """The contestant as a process: arguments are brokers, topic prefix and partitions; it runs until it is killed."""
    brokers, prefix, partitions = sys.argv[1], sys.argv[2], int(sys.argv[3])
    worker = build(brokers, prefix, partitions).Worker(loglevel="INFO", redirect_stdouts=False)
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
