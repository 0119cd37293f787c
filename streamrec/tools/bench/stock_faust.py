"""Baseline: Faust as it comes, tuned by its documented settings, doing the same work an event at a time.

Parse, one table write of a row as large as ours, a decision (the user's first click), a push. Run as
`python -m streamrec.tools.bench.stock_faust`, with settings in the environment.
"""

import tempfile
from typing import Any

import faust
import orjson

from ...engine.profiles.layout import ROW
from ...settings import Settings, load
from ...worker.faust_app.faust_connection import faust_connection


def stock_app(settings: Settings, **others: Any) -> faust.App:
    """An app of stock Faust as both benches use it: tables in memory, nothing replicated, large polls."""
    return faust.App(
        settings.topic("stock"),
        **faust_connection(settings),
        store="memory://",
        topic_partitions=settings.partitions,
        topic_disable_leader=True,
        table_standby_replicas=0,
        broker_max_poll_records=4000,
        web_enabled=False,
        datadir=tempfile.mkdtemp(prefix="streamrec-bench-"),
        **others,
    )


def build(settings: Settings) -> faust.App:
    """The app; producer_linger and batch size are the levers that help (30 %)."""
    app = stock_app(
        settings, producer_linger=0.05, producer_max_batch_size=262_144,
        broker_commit_interval=0.2, consumer_auto_offset_reset="earliest",
    )  # fmt: skip
    events = app.topic(settings.topic("events"), key_serializer="raw", value_serializer="raw")
    push = app.topic(settings.topic("push"), key_serializer="raw", value_serializer="raw")
    table = app.Table("rows", partitions=settings.partitions, key_type=bytes, value_type=bytes)
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
    """The contestant as a process; it runs until it is killed."""
    worker = build(load()).Worker(loglevel="INFO", redirect_stdouts=False)
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
