"""`bench recovery`: a partition's state read back from a changelog with rows that are not compacted yet.

Ours runs in a process of its own, so its peak memory and CPU are its own. Stock Faust reads a smaller changelog of the
same rows; both are compared a changelog record.
"""

import asyncio
import statistics
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from ...clock import now_ms
from ...contracts.inputs import DAY_MS
from ...contracts.limits import BATCH_BYTES
from ...engine.profiles.layout import DEFAULTS, READ, ROW
from ...kafka.clients import producer
from ...kafka.log import KafkaLog
from ...kafka.topics import changelog_topic, create, specs
from ...kafka.transactions import Message, Transactions
from ...partition.changelog_meta import Meta, layout_record
from ...settings import Settings
from .contestants import figures_of
from .load import make_topics, own_topics

ROWS_A_TRANSACTION = 20_000
ARTICLES = 50_000  # that the remembered articles are drawn from: a week of a large site


class Measured(NamedTuple):
    """What one recovery of a partition took: seconds, CPU and peak memory."""

    users: int
    records: int
    seconds: float
    cpu_s: float
    peak_mb: float

    @property
    def us_per_record(self) -> float:
        """Microseconds of a record."""
        return 1e6 * self.seconds / self.records


def rows(users: int, dirty: int, seed: int = 1) -> Iterator[list[Message]]:
    """First a row of each user, then `dirty` newer ones of random users; vectors are noise, so they do not compress."""
    rng = np.random.default_rng(seed)
    articles = rng.integers(1, 2**32, ARTICLES, np.uint32)
    numbers = np.concatenate([np.arange(users), rng.integers(0, users, dirty)])
    for start in range(0, len(numbers), ROWS_A_TRANSACTION):
        chosen = numbers[start : start + ROWS_A_TRANSACTION]
        packed: Any = np.zeros(len(chosen), ROW)
        for name, value in DEFAULTS.items():
            packed[name] = value
        packed["interest"] = rng.normal(size=packed["interest"].shape)
        packed["seen"], packed["seen_acts"] = articles[rng.integers(0, ARTICLES, packed["seen"].shape)], READ
        packed["n_reads"], packed["first_seen_s"] = packed["seen"].shape[1], now_ms() // 1000 - DAY_MS // 1000
        data, size = packed.tobytes(), ROW.itemsize
        yield [
            Message(b"user-%08d" % number, data[at * size : (at + 1) * size])
            for at, number in enumerate(chosen.tolist())
        ]


async def fill(settings: Settings, users: int, dirty: int, *last: Message, partition: int = 0) -> None:
    """Write a partition of the changelog, as its owner would; `last` are the records it leaves behind its rows."""
    topic, transactions = changelog_topic(settings), Transactions(f"{settings.group_id}-fill", KafkaLog(settings))
    await transactions.start()
    for messages in rows(users, dirty):
        async with transactions.begin() as writes:
            await writes.send(topic, partition, messages)
    if last:
        async with transactions.begin() as writes:
            await writes.send(topic, partition, last)
    await transactions.stop()


async def measure_ours(cluster: Settings, users: int, dirty: int) -> Measured:
    """A changelog of ours, recovered in a new process."""
    settings = own_topics(cluster, partitions=1)
    await _uncompacted(settings)
    await create(settings)
    await fill(settings, users, dirty, Message(*layout_record(1)), Message(*Meta({"events": 0}, 0).record()))
    return Measured(**await figures_of("recover_once", settings))


async def _uncompacted(settings: Settings) -> None:
    """The changelog with the cleaner kept away: with its own settings it is too quick for rows to stay dirty."""
    topic = next(spec for spec in specs(settings) if spec.name == changelog_topic(settings))
    lags = {"min.compaction.lag.ms": str(DAY_MS), "max.compaction.lag.ms": str(2 * DAY_MS)}
    await make_topics(settings, topic.name, config=topic.config | lags)
    await asyncio.sleep(1.0)  # until the broker's metadata has it


async def measure_stock(cluster: Settings, users: int, dirty: int) -> Measured:
    """Recover as many rows from the changelog of a stock Faust table, in a new process."""
    settings = own_topics(cluster, partitions=1)
    changelog = settings.topic("stock-rows-changelog")
    await make_topics(settings, settings.topic("events"), changelog, settings.topic("stock-__assignor-__leader"))
    await asyncio.sleep(1.0)
    written = 0
    async with producer(settings, max_batch_size=BATCH_BYTES) as sending:
        for messages in rows(users, dirty):
            for message in messages:
                await sending.send(changelog, key=message.key, value=message.value, partition=0)
            written += len(messages)
    found = await figures_of("stock_recovery", settings, timeout_s=600)
    return Measured(found["users"], written, found["seconds"], float("nan"), float("nan"))


def summary(ours: Sequence[Measured], stock: Sequence[Measured]) -> dict[str, float]:
    """Medians over rounds, and the ratio of stock Faust's to ours."""
    us, stock_us = (statistics.median(at.us_per_record for at in found) for found in (ours, stock))
    return {
        "ratio_to_stock_faust": round(stock_us / us, 1),
        "us_per_record": round(us, 2),
        "stock_us_per_record": round(stock_us, 2),
        "seconds": round(statistics.median(at.seconds for at in ours), 1),
        "cpu_s": round(statistics.median(at.cpu_s for at in ours), 1),
        "peak_mb": round(max(at.peak_mb for at in ours)),
    }
