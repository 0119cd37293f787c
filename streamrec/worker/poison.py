"""Records on which `apply` raises: found, so that they can be set aside and everything else is applied.

After an exception the state is worth nothing. It is thrown away and restored from the log, and what was applied since
the last commit is applied again to that scratch state, a record at a time, until one raises: that is a culprit, and the
search begins anew without it. It costs one recovery a culprit and nothing while all is well; a log of undo steps would
cost on every batch.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence

from ..clock import now_ms
from ..contracts.records import Topic, first_headers
from ..errors import SettingsError, StateError
from ..intake import Batch
from ..partition import Partition
from .log import Log

logger = logging.getLogger(__name__)

HOUR_MS = 3_600_000


async def without_poison(
    error: Exception,
    partition: Partition,
    batches: Sequence[Batch],
    restored: Callable[[], Awaitable[Partition]],
    log: Log,
    allowed_per_hour: int,
) -> list[Batch]:
    """What is to be applied anew after `error`, its culprits marked; raises `error` if no record is one.

    In a replay a record may wait for others, so there nothing is set aside. A setting at fault is no record's fault.
    """
    if isinstance(error, SettingsError):
        raise error
    logger.error("processing failed, looking for the record at fault", exc_info=error)
    settled = partition.settled
    at_most = allowed_per_hour - await recent_poison(log, settled.topics.values(), settled.number, allowed_per_hour)
    marked = None if settled.tick_ms else await find_poison(batches, restored, at_most)
    if marked is None:
        raise error
    return marked


async def find_poison(
    batches: Sequence[Batch], restored: Callable[[], Awaitable[Partition]], at_most: int
) -> list[Batch] | None:
    """These batches with their culprits marked as poison; None if no single record raises.

    StateError on the culprit after `at_most`: then it is the release that is bad, and not its input.
    """
    found = 0
    while (culprit := await _first_culprit(await restored(), batches)) is not None:
        found += 1
        if found > at_most:
            raise bad_release("processing fails on more records")
        batches = [_marked(batch, *culprit) for batch in batches]
    return list(batches) if found else None


def bad_release(too_many: str) -> StateError:
    """What a worker ends with where it is not the input that is at fault."""
    return StateError(
        f"{too_many} than STREAMREC_MAX_POISON_PER_HOUR allows; nothing more is set aside: correct or roll back the"
        " release, then `streamrec dlq redrive --reason processing_error`"
    )


async def recent_poison(log: Log, topics: Iterable[str], partition: int, enough: int) -> int:
    """How many records of this partition were set aside as poison within the last hour, by earlier owners included.

    Counted as they are read, up to `enough` or a few more: an hour of dead letters need not fit into memory.
    """
    since_ms, found = now_ms() - HOUR_MS, 0
    async with log.reader() as reader:
        for topic in topics:
            async for letters in reader.read(f"{topic}.dlq", partition, None, since_ms):
                reasons = (first_headers(letter).get("streamrec-reason") for letter in letters)
                found += sum(reason == b"processing_error" for reason in reasons)
                if found >= enough:
                    return found
    return found


async def _first_culprit(partition: Partition, batches: Sequence[Batch]) -> tuple[Topic, int] | None:
    for batch in batches:
        for record in batch.records:
            try:
                for _ in partition.apply(Batch(batch.topic, [record], record.offset + 1, batch.poison), now_ms()):
                    await asyncio.sleep(0)
            except Exception:  # noqa: BLE001 - whatever a record provokes
                return batch.topic, record.offset
    return None


def _marked(batch: Batch, topic: Topic, offset: int) -> Batch:
    return batch._replace(poison=(*batch.poison, offset)) if batch.topic == topic else batch
