"""Baseline of `bench recovery`: a stock Faust table is read back from its changelog.

Prints its number of rows and the seconds Faust was in recovery as JSON, then ends. Run as
`python -m streamrec.tools.bench.stock_recovery`, with settings in the environment.
"""

import os
import sys
import threading
import time

import faust
import orjson

from ...clock import monotonic_s
from ...settings import Settings, load
from .stock_faust import stock_app


def build(settings: Settings) -> faust.App:
    """The app; it owns one partition of one table and has nothing else to do."""
    app = stock_app(settings, stream_recovery_delay=0.0)
    raw = {"key_serializer": "raw", "value_serializer": "raw"}
    table = app.Table("rows", partitions=1, key_type=bytes, value_type=bytes)

    @app.agent(app.topic(settings.topic("events"), **raw))
    async def rows(stream: faust.Stream) -> None:
        async for key, value in stream.items():
            table[key] = value

    threading.Thread(target=_watch, args=(app, table), daemon=True).start()
    return app


def _watch(app: faust.App, table: faust.Table) -> None:
    """From a thread: Faust starts an app's own tasks only after the recovery."""
    while app.tables._recovery is None:  # noqa: SLF001 - asking by its public name would make one, in this thread
        time.sleep(0.001)
    recovery = app.tables._recovery  # noqa: SLF001
    while not recovery.in_recovery:
        time.sleep(0.001)
    started_s = monotonic_s()
    while recovery.in_recovery:
        time.sleep(0.001)
    found = orjson.dumps({"users": len(table), "seconds": monotonic_s() - started_s}).decode()
    sys.stdout.write(f"\n{found}\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    build(load()).Worker(loglevel="ERROR", redirect_stdouts=False).execute_from_commandline()
