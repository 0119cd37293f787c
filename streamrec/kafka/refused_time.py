"""wrong_time(error): why a broker does not take the time a record bears, as one sentence with the cure.

Brokers take records from message.timestamp.before.max.ms before their own clock (unset: of any age) to
message.timestamp.after.max.ms after it (an hour). Where the topic bears the time of the append, they do not look.
"""

import re
from datetime import UTC, datetime

from aiokafka.errors import InvalidTimestampError

from ..clock import now_ms

# Kafka 2.4 and later, each broker version the tests run on
SAID = re.compile(r"Timestamp (-?\d+) of message .* within \[(-?\d+), (-?\d+)\]")
JUST_NOW_MS = 600_000  # a record that was made so long ago, at most, bears what this machine's clock says
UNITS = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000))


def wrong_time(error: InvalidTimestampError) -> str:
    """The sentence. It names the difference where the broker said it (kafka/producer.py)."""
    topic, told = error.args or ("", None)
    if not (said := SAID.search(told or "")):
        return (
            "the brokers do not take the time of a record, and do not say why; the clock of this machine says"
            f" {_utc(now_ms())}: compare it with theirs, and set the one right that is wrong (NTP)"
        )
    at_ms, earliest_ms, latest_ms = map(int, said.groups())
    late = at_ms > latest_ms
    limit_ms, word, which = (latest_ms, "later", "after") if late else (earliest_ms, "earlier", "before")
    off = f"{_span(abs(at_ms - limit_ms))} {word} than the {'latest' if late else 'earliest'} the brokers take"
    setting = f"message.timestamp.{which}.max.ms"
    if abs(at_ms - now_ms()) < JUST_NOW_MS:
        return (
            f"the clock of this machine says {_utc(at_ms)}, {off} for topic {topic} ({_utc(limit_ms)}): set the clock"
            f" right that is wrong, this one or the brokers' (NTP), or raise the topic's {setting}"
        )
    record = f"a record for topic {topic} bears the time {_utc(at_ms)}"
    return f"{record}, {off} ({_utc(limit_ms)}): raise the topic's {setting}"


def _utc(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).isoformat()


def _span(ms: int) -> str:
    for unit, size_ms in UNITS:
        if ms >= size_ms:
            return f"{ms / size_ms:.1f} {unit}"
    return f"{ms / 1000:.1f} s"
