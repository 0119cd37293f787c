"""What `streamrec produce --history` does: articles first, then what readers did, however long ago.

The files are read twice: once to count what would be refused, so that nothing is sent of files that are not what was
meant, and once to send. Between articles and events it waits until the workers know the articles: an event finds four
slots to wait for its article in, and a history has more. Keys and partitions are those of any producer (murmur2), the
producer is idempotent, and times are the records' own.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import msgspec
from aiokafka import TopicPartition

from ..clock import monotonic_s
from ..contracts.article import ArticleEvent
from ..contracts.event import UserEvent
from ..datasets.contract_file_rows import NAMES, FileTopic, raw_records
from ..datasets.contract_files import articles_of, events_of
from ..datasets.tally import Tally
from ..errors import DataError, KafkaError
from ..kafka.clients import AIOKafkaConsumer, consumer, producer
from ..kafka.log import KafkaLog
from ..kafka.permissions import permitted
from ..kafka.topics import require
from ..settings import Settings
from ..terminal.progress import Bars
from ..worker.writing.catch_up import readable_end

IN_FLIGHT = 1000
STILL_S = 60.0  # without any article taken in: nobody is there to do it
TOPICS: tuple[FileTopic, ...] = ("articles", "events")


class Source(NamedTuple):
    """A file of articles or events that happened before the deployment began."""

    path: Path
    topic: FileTopic

    def records(self, tally: Tally) -> Iterator[ArticleEvent | UserEvent]:
        """The records that a worker would take; the others are counted in the tally."""
        part = tally.of(str(self.path))
        raw = raw_records(self.path, self.topic, part)
        return articles_of(raw, part) if self.topic == "articles" else events_of(raw, part)


def sources_of(paths: Sequence[Path]) -> list[Source]:
    """The files of these paths, articles first; of a folder those named articles and events."""
    found: list[Source] = []
    for path in paths:
        files = [path / (topic + name) for topic in TOPICS for name in NAMES] if path.is_dir() else [path]
        mine = [
            Source(file, topic) for file in files if file.is_file() for topic in TOPICS if file.name.startswith(topic)
        ]
        if not mine:
            raise DataError(f"{path}: expected articles.* or events.* ({', '.join(NAMES)}), got neither")
        found += mine
    return sorted(found, key=lambda source: TOPICS.index(source.topic))


def counted(sources: Iterable[Source]) -> tuple[Tally, dict[FileTopic, int]]:
    """How many records the sources hold for each topic, and how many would be refused."""
    tally, counts = Tally(), dict.fromkeys(TOPICS, 0)
    for source in sources:
        counts[source.topic] += sum(1 for _ in source.records(tally))
    return tally, counts


async def send_history(
    settings: Settings, sources: Sequence[Source], counts: dict[FileTopic, int], progress: Bars
) -> None:
    """Send all of it; KafkaError where no worker takes the articles in."""
    await permitted(settings, "importer")
    for topic in TOPICS:
        await require(settings, topic)
        sending = progress.add_task(topic, total=counts[topic])
        mine = chain.from_iterable(source.records(Tally()) for source in sources if source.topic == topic)
        await _send(settings, topic, mine, lambda done, task=sending: progress.update(task, completed=done))  # type: ignore[misc]
        if topic == "articles" and counts["articles"] and counts["events"]:
            await _taken_in(settings, progress)


async def _send(
    settings: Settings, topic: FileTopic, records: Iterable[ArticleEvent | UserEvent], told: Callable[[int], object]
) -> None:
    waiting: list[asyncio.Future[object]] = []
    sent = 0
    async with producer(settings, enable_idempotence=True, linger_ms=5) as sending:
        for record in records:
            key = record.article_id if isinstance(record, ArticleEvent) else record.user_id
            value = msgspec.json.encode(record)
            waiting.append(await sending.send(settings.topic(topic), key=key.encode(), value=value))
            if len(waiting) == IN_FLIGHT:
                await asyncio.gather(*waiting)
                sent += len(waiting)
                waiting.clear()
                told(sent)
        await asyncio.gather(*waiting)
        told(sent + len(waiting))


async def _taken_in(settings: Settings, progress: Bars) -> None:
    """Until the workers' cursors have passed the last record of `articles`, then the last one of `catalog`."""
    waiting = progress.add_task("workers take the articles in", total=None)
    for topic, partitions in (("articles", 1), ("catalog", settings.partitions)):
        tps = [TopicPartition(settings.topic(topic), number) for number in range(partitions)]
        async with consumer(
            settings,
            group_id=settings.group_id,
            enable_auto_commit=False,
            isolation_level="read_committed",
        ) as group:
            group.assign(tps)
            await _passed(group, await readable_ends(settings, group, tps), lambda: progress.update(waiting))
    progress.update(waiting, total=1, completed=1)


async def readable_ends(
    settings: Settings, group: AIOKafkaConsumer, tps: Sequence[TopicPartition]
) -> dict[TopicPartition, int]:
    """The offset a worker that has read everything stands at: markers of transactions are no records."""
    async with KafkaLog(settings).reader() as reader:
        return {
            tp: await readable_end(
                reader,
                tp.topic,
                tp.partition,
                await group.committed(tp) or 0,
                (await reader.ends([tp.topic], tp.partition))[tp.topic],
            )
            for tp in tps
        }


async def _passed(group: AIOKafkaConsumer, until: Mapping[TopicPartition, int], told: Callable[[], object]) -> None:
    seen, since_s = -1, monotonic_s()
    while True:
        done = {tp: await group.committed(tp) or 0 for tp in until}
        if all(done[tp] >= offset for tp, offset in until.items()):
            return
        if (now := sum(done.values())) != seen:
            seen, since_s = now, monotonic_s()
        if monotonic_s() - since_s > STILL_S:
            raise KafkaError(
                f"no worker has taken articles in for {STILL_S:.0f} s; the events are not sent: start"
                " `streamrec worker` and give the same command again, articles that are there already change nothing"
            )
        told()
        await asyncio.sleep(0.3)
