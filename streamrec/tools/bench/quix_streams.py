"""Baseline: Quix Streams with exactly-once, doing the same work an event at a time; its state lies in RocksDB.

It is no dependency: `pip install quixstreams` and it takes part. Run as `python -m streamrec.tools.bench.quix_streams
FOLDER`, with settings in the environment; FOLDER is for its state.
"""

import importlib.util
import sys
from typing import Any

import orjson

from ...engine.profiles.layout import ROW
from ...settings import Settings, load

COMMIT_S = 0.1  # as Kafka Streams does
LINGER_MS = 50


def left_out(settings: Settings) -> str | None:
    """Why it cannot take part here; None if it can."""
    if settings.security_protocol != "PLAINTEXT":
        return "it is not told how to reach a secured cluster"
    return None if importlib.util.find_spec("quixstreams") else "it is not installed: pip install quixstreams"


def main() -> None:
    """The contestant as a process; it runs until it is killed."""
    from quixstreams import Application  # noqa: PLC0415 - nothing else needs it, and it may be absent

    settings = load()
    app = Application(
        settings.brokers,
        consumer_group=settings.topic("quix"),
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=COMMIT_S,
        producer_extra_config={"linger.ms": LINGER_MS},
        state_dir=sys.argv[1],
    )
    events = app.topic(settings.topic("events"), key_deserializer="bytes", value_deserializer="bytes")
    push = app.topic(settings.topic("push"), key_serializer="bytes", value_serializer="bytes")
    row = bytes(ROW.itemsize)

    def decide(value: bytes, state: Any) -> bytes | None:
        click = orjson.loads(value)
        is_new = state.get_bytes("row") is None
        state.set_bytes("row", row)
        return orjson.dumps({"user_id": click["user_id"], "event_at_ms": click["at_ms"]}) if is_new else None

    pushes = app.dataframe(events).apply(decide, stateful=True)
    pushes.filter(lambda pushed: pushed is not None).to_topic(push)
    app.run()


if __name__ == "__main__":
    main()
