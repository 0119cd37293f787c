"""A log as what a producer would have sent: groups of records in order of time, each closed by a watermark.

    groups(log, span_ms) -> Group(records, watermark_ms), ...

A watermark says that nothing older follows; groups therefore end between two points in time, never within one.
The last group is empty: its watermark lets an hour pass, so that sessions at the end of the log come to their end.
"""

from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

import msgspec

from ...contracts.article import ArticleEvent
from ...contracts.event import UserEvent
from ...datasets.records import Step

AFTERWARDS_MS = 3_600_000


class Sent(NamedTuple):
    """A record as a producer sends it to `articles` or `events`."""

    topic: Literal["articles", "events"]
    key: str
    value: bytes


class Group(NamedTuple):
    """Records up to and including `watermark_ms`."""

    records: list[Sent]
    watermark_ms: int


def groups(log: Iterable[Step], span_ms: int) -> Iterator[Group]:
    """Groups that span at least `span_ms` of the log's time; impressions with negatives are not sent."""
    records: list[Sent] = []
    start_ms = last_ms = 0
    for step in log:
        sent = _sent(step)
        if sent is None:
            continue
        start_ms = start_ms or step.at_ms
        if step.at_ms > last_ms and step.at_ms - start_ms >= span_ms and records:
            yield Group(records, last_ms)
            records, start_ms = [], step.at_ms
        records.append(sent)
        last_ms = max(last_ms, step.at_ms)
    yield Group(records, last_ms)
    yield Group([], last_ms + AFTERWARDS_MS)


def _sent(step: Step) -> Sent | None:
    match step.record:
        case ArticleEvent() as article:
            return Sent("articles", article.article_id, msgspec.json.encode(article))
        case UserEvent() as event:
            return Sent("events", event.user_id, msgspec.json.encode(event))
        case _:
            return None
