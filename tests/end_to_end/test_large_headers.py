"""Headers count like anything else of a record, on a real broker: no record stops its partition by them."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest
from aiokafka import AIOKafkaProducer
from on_kafka import Sent, article, event, read, rows_by_user, until

from streamrec.contracts.partitioner import partition_of
from streamrec.kafka.topics import create
from streamrec.settings import Settings
from streamrec.tools.worker_process import value, worker_process

pytestmark = pytest.mark.kafka


class Long(NamedTuple):
    """A record with a header of this length; what becomes of it."""

    sent: Sent
    header: int
    reason: str  # of its dead letter; "": it is applied
    compressed: bool = False


def away(user: str) -> Sent:
    """An event of this user in a partition where the user does not live."""
    return event(user, "a1")._replace(partition=(partition_of(user, 4) + 1) % 4)


LONG = {
    "good": Long(event("good", "a1"), 900_000, ""),
    "good, compressed": Long(event("good-compressed", "a1"), 2_000_000, "", compressed=True),
    "bad": Long(Sent("events", b"bad", b"{"), 1_000_000, "undecodable"),
    "bad, compressed": Long(Sent("events", b"bad-compressed", b"{"), 2_000_000, "undecodable", compressed=True),
    "stray": Long(away("stray"), 800_000, ""),
    "stray, too long": Long(away("stray-too-long"), 950_000, "too_large"),
    "stray, compressed": Long(away("stray-compressed"), 2_000_000, "too_large", compressed=True),
    "article": Long(article("a2"), 1_000_000, ""),
    "bad article": Long(Sent("articles", b"a3", b"{"), 2_000_000, "undecodable", compressed=True),
}


async def send(settings: Settings, records: Iterable[Long], compressed: bool) -> None:
    """Each in a batch of its own, compressed or not."""
    producer = AIOKafkaProducer(
        bootstrap_servers=settings.brokers,
        max_request_size=4_000_000,
        compression_type="gzip" if compressed else None,
    )
    await producer.start()
    for (topic, key, content, partition), header, _, _ in records:
        trail = [("trace", b"t"), ("long", bytes(header))]
        await producer.send_and_wait(settings.topic(topic), content, key, partition, headers=trail)
    await producer.stop()


def test_the_worker_goes_on(settings_for_test: Settings, tmp_path: Path) -> None:
    """Good records are applied, a stray that is too long and bad ones are set aside, cut; nothing ends or is lost."""
    settings = settings_for_test
    asyncio.run(create(settings))
    users = {
        (long.sent.key or b"").decode() for long in LONG.values() if long.sent.topic == "events" and not long.reason
    }
    reasons = {long.sent.key: long.reason for long in LONG.values() if long.reason}
    with worker_process(settings, tmp_path / "worker.log") as worker:
        worker.wait_ready()
        for compressed in (False, True):
            same = [long for long in LONG.values() if long.compressed == compressed]
            asyncio.run(send(settings, [*same, Long(event("last", "a1"), 0, "")], compressed))
        asyncio.run(until(lambda: value(worker.series(), "streamrec_dead_letters_total") >= len(reasons)))
        asyncio.run(until(lambda: _rows(settings, users | {"last"})))
        asyncio.run(until(lambda: value(worker.series(), "streamrec_catalog_articles") == 1))
        assert (worker.exit_code(), worker.restarts) == (None, 0)
    letters = asyncio.run(read(settings, settings.topic("events.dlq")))
    letters += asyncio.run(read(settings, settings.topic("articles.dlq"), 1))
    assert {letter.key: dict(letter.headers)["streamrec-reason"].decode() for letter in letters} == reasons
    for letter in letters:
        assert int(dict(letter.headers)["streamrec-headers-bytes"]) >= 950_000
        assert ("trace", b"t") in letter.headers


async def _rows(settings: Settings, users: set[str]) -> bool:
    return users <= set(await rows_by_user(settings))
