"""erase(settings, user) asks for it and waits until it is done; proof(settings) looks whether anything came back.

A request is two records: a tombstone in `preferences`, so that older patches are compacted away, and the erasure. What
a partition deletes, and when, stands in its changelog as a receipt (partition/erasures.py).
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import orjson
from aiokafka import AIOKafkaProducer

from ..clock import monotonic_s, now_ms
from ..contracts.decode import Origin, Typed, decode_erasures
from ..contracts.partitioner import partition_of
from ..contracts.records import Record
from ..engine.profiles.layout import ROW
from ..engine.profiles.statements import PREFIX
from ..errors import KafkaError
from ..kafka.clients import producer
from ..kafka.log import KafkaLog, read_all
from ..kafka.permissions import Need, permitted
from ..kafka.topics import changelog_topic, require, specs
from ..partition.erasures import Receipt, key_of_erased
from ..settings import Settings
from ..worker.fetching.group_progress import group_progress

POLL_S = 0.2


class Stays(NamedTuple):
    """A topic in which records about the reader may stay, and until when at the latest, in ms since 1970."""

    topic: str
    until_ms: int | None  # None: until it is compacted


class Erased(NamedTuple):
    """What was deleted of a reader, in which partition, and what stays where."""

    partition: int
    receipt: Receipt
    stays: list[Stays]


async def erase(settings: Settings, user_id: str, wait_s: float) -> Erased:
    """Ask for it, and wait until the owner has done it; KafkaError where that takes longer than `wait_s`."""
    topic, wishes = settings.topic("erasure"), settings.topic("preferences")
    await permitted(settings, "operator", [Need("Write", "topic", topic), Need("Write", "topic", wishes)])
    await require(settings, "erasure")
    async with producer(settings) as sending:
        number, offset = await ask(sending, settings, user_id)
    deadline_s = monotonic_s() + wait_s
    async with group_progress(settings, "read_committed") as group:
        while (await group.committed_offsets("erasure"))["erasure", number] <= offset:
            if monotonic_s() > deadline_s:
                raise KafkaError(
                    f"the erasure stands in {topic}-{number} at offset {offset}, and no worker has applied it"
                    f" within {wait_s:.0f} s: it is done once one does"
                )
            await asyncio.sleep(POLL_S)
    content = await _last(settings, number)
    receipt = content.get(key_of_erased(user_id))
    if receipt is None:
        raise KafkaError(f"{changelog_topic(settings)}-{number} has no receipt of the erasure, though it was applied")
    return Erased(number, Receipt(**orjson.loads(receipt)), stays(settings, now_ms()))


async def ask(sending: AIOKafkaProducer, settings: Settings, user_id: str) -> tuple[int, int]:
    """Write the two records of a request; partition and offset of the erasure. Its errors are the client's."""
    key, number = user_id.encode(), partition_of(user_id, settings.partitions)
    await sending.send_and_wait(settings.topic("preferences"), key=key, value=None, partition=number)
    sent = await sending.send_and_wait(settings.topic("erasure"), key=key, value=b"{}", partition=number)
    return number, int(sent.offset)


def stays(settings: Settings, at_ms: int) -> list[Stays]:
    """Where records about a reader may still stand at `at_ms`, as the topics' settings say."""
    named = [
        f"{name}{end}" for name in ("events", "preferences", "erasure", "rerouted", "push") for end in ("", ".dlq")
    ]
    wanted = {settings.topic(name) for name in named} | {changelog_topic(settings)}
    found = []
    for spec in specs(settings):
        if spec.name in wanted:
            kept = spec.config.get("retention.ms")
            found.append(Stays(spec.name, at_ms + int(kept) if kept else None))
    return found


async def proof(settings: Settings) -> tuple[int, list[str]]:
    """How many erasures still stand in `erasure`, and what of their readers is there nevertheless, in words."""
    await require(settings, "erasure")
    wrong, asked = [], 0
    for number in range(settings.partitions):
        async with KafkaLog(settings).reader() as reader:
            requests = await read_all(reader, settings.topic("erasure"), number)
        if requests:
            content = await _last(settings, number)
            asked += len(requests)
            wrong += [
                f"erasure-{number} @ {record.offset}: {what}" for record in requests for what in _left(record, content)
            ]
    return asked, wrong


def _left(record: Record, content: dict[bytes, bytes]) -> list[str]:
    (item,) = decode_erasures([record], Origin("erasure", 0))
    if not isinstance(item, Typed):
        return []
    key, erased_ms = item.value.user_id.encode(), item.value.at_ms
    receipt, row, wishes = content.get(key_of_erased(item.value.user_id)), content.get(key), content.get(PREFIX + key)
    found = [] if receipt is not None else ["there is no receipt: it is not applied yet, or was lost"]
    if row is not None and int(np.frombuffer(row, ROW)["first_seen_s"][0]) * 1000 + 999 < erased_ms:
        found.append("the changelog has a row from before")
    if wishes is not None and any(at_ms <= erased_ms for at_ms, _ in orjson.loads(wishes)["said"].values()):
        found.append("the changelog has preferences from before")
    return found


async def _last(settings: Settings, number: int) -> dict[bytes, bytes]:
    """The last value of each key in a partition of the changelog."""
    content: dict[bytes, bytes] = {}
    async with KafkaLog(settings).reader() as reader:
        async for records in reader.read(changelog_topic(settings), number):
            _take(content, records)
    return content


def _take(content: dict[bytes, bytes], records: Sequence[Record]) -> None:
    for record in records:
        if record.value is None:
            content.pop(record.key or b"", None)
        else:
            content[record.key or b""] = record.value
