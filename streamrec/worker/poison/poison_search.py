"""Records on which processing raises: found, so that they can be set aside and everything else is applied.

After an exception the state is worth nothing. It is thrown away and restored from the log, and what was applied since
the last commit is applied again to that scratch state, a record at a time, until one raises: that is a culprit, and the
search begins anew without it. It costs one recovery a culprit and nothing while all is well; a log of undo steps would
cost on every batch.

If none raises, it may be an article that came long ago and that users meet when they are due: those who would be due
now meet the fresh articles in halves, until one is left. Its record is in the log, before the cursor, so it gets a dead
letter of its own, which recovery knows it by.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from ...clock import now_ms
from ...contracts.decode import Origin, Typed, dead_letter, decode_catalog
from ...contracts.records import DeadLetter, Record, Topic
from ...errors import SettingsError
from ...kafka.log import Log, read_all
from ...partition.intake import Batch
from ...partition.partition import Meeting, Partition
from ..recovery.recovery import set_aside_offsets
from .poison_limit import bad_release, recent_poison

logger = logging.getLogger(__name__)

SUSPECTS = 8  # articles that all fail: then it is their readers, or the release


class Found(NamedTuple):
    """What a search for records that make processing raise has found."""

    batches: list[Batch]  # what is to be applied anew, culprits in it marked
    letters: list[DeadLetter]  # of culprits before the cursor


async def without_poison(
    error: Exception,
    partition: Partition,
    batches: Sequence[Batch],
    restored: Callable[[], Awaitable[Partition]],
    log: Log,
    allowed_per_hour: int,
) -> Found | None:
    """How to go on after `error`; None if no record seems to be at fault.

    In a replay a record may wait for others, so there nothing is set aside: raises `error`. A setting at fault is no
    record's fault either.
    """
    if isinstance(error, SettingsError) or partition.context.tick_ms:
        raise error
    logger.error("processing failed, looking for the record at fault", exc_info=error)
    context = partition.context
    at_most = allowed_per_hour - await recent_poison(log, context.topics.values(), context.number, allowed_per_hour)
    return await find_poison(batches, restored, log, at_most)


async def find_poison(
    batches: Sequence[Batch], restored: Callable[[], Awaitable[Partition]], log: Log, at_most: int
) -> Found | None:
    """These batches with their culprits marked as poison; None if no single record raises.

    StateError on the culprit after `at_most`: then it is the release that is bad, and not its input.
    """
    found = 0
    while (culprit := await _first_culprit(scratch := await restored(), batches, log)) is not None:
        if found >= at_most:  # below 0 where the limit was lowered within the hour
            raise bad_release("processing fails on more records")
        found += 1
        topic, record = culprit
        if not _holds(batches, topic, record.offset):
            origin = Origin(scratch.context.topics[topic], scratch.context.number)
            letter = dead_letter(record, origin, "processing_error", "users who are due cannot meet it")
            return Found(list(batches), [letter])
        batches = [_marked(batch, topic, record.offset) for batch in batches]
    return Found(list(batches), []) if found else None


def _holds(batches: Sequence[Batch], topic: Topic, offset: int) -> bool:
    return any(record.offset == offset for batch in batches if batch.topic == topic for record in batch.records)


async def _first_culprit(partition: Partition, batches: Sequence[Batch], log: Log) -> tuple[Topic, Record] | None:
    """The record on which `apply` raises, or the meetings that follow each batch, as in the writer.

    Articles wait for their turn there: were they to meet everybody as they are taken in, whoever gets one of them would
    not be due any more, and would not meet the one at fault.
    """
    partition.at_once = False
    if partition.queue and (article_id := failing_article(partition, now_ms())) is not None:
        return await _article(partition, batches, log, article_id)  # it came before these batches
    for batch in batches:
        for record in batch.records:
            try:
                for _ in partition.apply(Batch(batch.topic, [record], record.offset + 1, batch.poison), now_ms()):
                    await asyncio.sleep(0)
            except Exception:  # noqa: BLE001 - whatever a record provokes
                return batch.topic, record
        if (article_id := failing_article(partition, now_ms())) is not None:
            break
    else:
        article_id = failing_article(partition, now_ms())
    return None if article_id is None else await _article(partition, batches, log, article_id)


async def _article(
    partition: Partition, batches: Sequence[Batch], log: Log, article_id: str
) -> tuple[Topic, Record] | None:
    """The newest version in the log that is not set aside yet."""
    marked = {offset for batch in batches if batch.topic == "catalog" for offset in batch.poison}
    topic, number = partition.context.topics["catalog"], partition.context.number
    async with log.reader() as reader:
        known = await read_all(reader, topic, number, before=partition.cursor["catalog"])
        gone = marked | await set_aside_offsets(reader, topic, number, known)
    for record, item in zip(reversed(known), reversed(decode_catalog(known, Origin(topic, number))), strict=True):
        if isinstance(item, Typed) and item.value.article_id == article_id and record.offset not in gone:
            return "catalog", record
    return None


def failing_article(partition: Partition, now_ms: int) -> str | None:
    """Id of the article on which a look raises, if it is one that does. The partition has looked up to there.

    Where users can meet none of many articles, it is not the articles' fault. Articles may wait in it which users had
    met, and who then gets one is due for no other: so users who are due come first, and once more behind them.
    """
    for meeting in chain(partition.due(now_ms), partition.meetings(now_ms)):
        if partition.fails(meeting):
            return _culprit(partition, meeting)
        partition.meet(meeting)  # whoever gets a push of one article may be due for others
    return None


def _culprit(partition: Partition, failing: Meeting) -> str | None:
    meeting = failing
    while len(meeting.slots) > 1:
        meeting = _failing_half(partition, meeting)
    if not len(meeting.slots) or not partition.fails(meeting):
        return None
    slot = int(meeting.slots[0])
    others = [failing._replace(slots=np.array([other])) for other in failing.slots[:SUSPECTS] if other != slot]
    if len(failing.slots) >= SUSPECTS and all(map(partition.fails, others)):
        return None
    article = partition.catalog.articles[slot]
    return article.article_id if article else None


def _failing_half(partition: Partition, meeting: Meeting) -> Meeting:
    half = len(meeting.slots) // 2
    first = meeting._replace(slots=meeting.slots[:half])
    return first if partition.fails(first) else meeting._replace(slots=meeting.slots[half:])


def _marked(batch: Batch, topic: Topic, offset: int) -> Batch:
    return batch._replace(poison=(*batch.poison, offset)) if batch.topic == topic else batch
