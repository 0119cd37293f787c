"""A running system's own topics as a log to train on: `articles`, `events` and `push`, between two times.

    await read_topics(settings, since_ms, until_ms) -> StepLog

All of it up to `until_ms` is played, so that profiles, catalog and histories are those the system had; only what was
shown at or after `since_ms` becomes an impression (impressions.py). Committed records only, read without a group.

Time is what the system itself went by: with STREAMREC_POLICY_TIME=wall a record counts from its append on, so an event
that came late is not known early; in a replay (event) append times mean nothing, and records count from their own
time. Records a worker would set aside are left out and counted. KafkaError where the cluster cannot be read, DataError
where its topics show nothing to learn from.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import msgspec
from aiokafka.errors import KafkaError as ClientError

from ..contracts.article import ArticleEvent
from ..contracts.decode import Origin, decode_articles, decode_events
from ..contracts.framing import UNDECODABLE
from ..contracts.push import Push
from ..contracts.records import Record
from ..engine.profiles.zones import is_zone
from ..errors import DataError, KafkaError
from ..kafka.log import KafkaLog, Reader, read_all
from ..kafka.permissions import permitted
from ..kafka.topics import list_topics
from ..settings import Settings
from .contract_files import name_articles, typed
from .impressions import Seen, labelled
from .records import Step, StepLog
from .tally import Part, Tally

Progress = Callable[[int, int], object]  # partitions read, partitions in all


class _Found(NamedTuple):
    articles: list[Step]
    seen: list[Seen]
    pushes: list[Push]
    tally: Tally


async def read_topics(
    settings: Settings, since_ms: int, until_ms: int, progress: Progress = lambda *_: None
) -> StepLog:
    """Read the topics of the cluster in these settings."""
    try:
        found = await _found(settings, progress)
    except (ClientError, OSError) as error:
        raise KafkaError(f"the topics could not be read: {type(error).__name__} {error}") from error
    return log_of(found.articles, found.seen, found.pushes, found.tally, since_ms, until_ms)


def log_of(
    articles: Sequence[Step],
    seen: Sequence[Seen],
    pushes: Sequence[Push],
    tally: Tally,
    since_ms: int,
    until_ms: int,
) -> StepLog:
    """The log of these records; DataError where nothing was shown in time."""
    impressions = list(labelled(seen, pushes, since_ms, until_ms))
    if not impressions:
        raise DataError(
            f"the topics hold {len(seen)} events and {len(pushes)} pushes, but nothing was shown between the two times"
            " whose answer is known; expected impression events or pushes: choose other times, or let it run longer"
        )
    events = [Step(at_ms, event) for at_ms, event in seen]
    ids = (step.record.article_id for step in articles if isinstance(step.record, ArticleEvent))
    name_articles(tally, (one.event for one in seen), ids)
    steps = (step for step in (*articles, *impressions, *events) if step.at_ms < until_ms)
    return StepLog.of("topics", steps, tally)


async def _found(settings: Settings, progress: Progress) -> _Found:
    names = [settings.topic(name) for name in ("articles", "events", "push")]
    await permitted(settings, "trainer")
    counts = {spec.name: found for spec, found in await list_topics(settings, names)}
    for name in names:
        if not counts[name]:
            raise KafkaError(f"there is no topic {name} at {settings.brokers}; run `streamrec topics create`")
    parts = [(name, number) for name in names for number in range(counts[name] or 0)]
    found, replay = _Found([], [], [], Tally()), settings.policy_time == "event"
    async with KafkaLog(settings).reader() as reader:
        for done, (name, number) in enumerate(parts):
            await _take(found, reader, Origin(name, number), names.index(name), replay)
            progress(done + 1, len(parts))
    return found


async def _take(found: _Found, reader: Reader, origin: Origin, which: int, replay: bool) -> None:
    records = await read_all(reader, origin.topic, origin.partition)
    part = found.tally.of(origin.topic)
    if which == 0:
        for article in typed(decode_articles(records, origin, replay), part):
            own_ms = article.value.updated_at_ms or article.value.published_at_ms
            found.articles.append(Step(own_ms if replay else article.appended_ms, article.value))
    elif which == 1:
        for event in typed(decode_events(records, origin, is_zone, 0 if replay else None), part):
            found.seen.append(Seen(event.value.at_ms if replay else event.appended_ms, event.value))
    else:
        found.pushes.extend(_pushes(records, part))


def _pushes(records: Sequence[Record], part: Part) -> Iterator[Push]:
    decode = msgspec.json.Decoder(Push).decode
    for record in records:
        part.rows += 1
        try:
            push = decode(record.value or b"")
            if push.kind == "push":  # nothing was shown by the others
                yield push
        except UNDECODABLE:
            part.reject("undecodable")
