"""Pushes that left though a "no" had been said for longer than any push may wait for it, wherever in the log it lay.

The one promise of first read, then push (worker/writing/catch_up.py) that a reader would understand, read off the log
alone: an opt-out, in whichever partition, that is older than STREAMREC_MAX_PUSH_LAG_S has either been applied or holds
the pushes of its reader's partition back. Nothing is asked of cursors, strays and takeovers.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ...contracts.decode import Origin, Typed, decode_erasures, decode_events, decode_preferences
from ...contracts.records import Topic
from ...engine.profiles.zones import is_zone
from .faulty_partition import POISON
from .inputs import PARTITIONS
from .memory_log import MemoryLog
from .second_opinion import push_in

SLACK_MS = 30_000  # how far a partition is, and the others, is asked for now and then
DECODED: dict[Topic, Callable[..., list[Any]]] = {  # by where readers speak
    "events": decode_events,
    "preferences": decode_preferences,
    "erasure": lambda records, origin, _: decode_erasures(records, origin),
}


class _Said(NamedTuple):
    appended_ms: int
    said_ms: int


def late_pushes(broker: MemoryLog, max_lag_s: float) -> Iterator[str]:
    """Each push that is wrong, in words; a "no" that a "yes" may have lifted by then proves nothing."""
    noes, yeses = defaultdict[str, list[_Said]](list), defaultdict[str, list[_Said]](list)
    for value, appended_ms in _said(broker):
        action = getattr(value, "action", "subscribe")  # an erasure and a patch may lift a "no"
        if action in {"subscribe", "unsubscribe"}:
            of = noes if action == "unsubscribe" else yeses
            of[value.user_id].append(_Said(appended_ms, value.at_ms))
    for number in range(PARTITIONS):
        for push in map(push_in, broker.committed("push", number)):
            if push.kind != "push":  # what is taken back or corrected reaches those who left, too
                continue
            at_ms = push.created_at_ms
            lifted = [yes.said_ms for yes in yeses[push.user_id] if yes.appended_ms <= at_ms]
            for no in noes[push.user_id]:
                if at_ms - no.appended_ms > max_lag_s * 1000 + SLACK_MS and no.said_ms > max(lifted, default=-1):
                    yield f"{push.user_id} was pushed {push.article_id} {at_ms - no.appended_ms} ms after a no"


def _said(broker: MemoryLog) -> Iterator[tuple[Any, int]]:
    for number in range(PARTITIONS):
        for topic, decode in DECODED.items():
            for item in decode(broker.committed(topic, number), Origin(topic, number), is_zone):
                if isinstance(item, Typed) and not item.value.user_id.startswith(POISON):
                    yield item.value, item.appended_ms
