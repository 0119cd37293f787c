"""Readers of a log on a real broker: who needs one after another gets one that is there, and it is closed in time."""

import asyncio

import pytest
from aiokafka import TopicPartition
from on_kafka import settled

from streamrec.kafka import log as log_module
from streamrec.kafka.log import KafkaLog, KafkaReader, read_all
from streamrec.kafka.topics import create
from streamrec.kafka.transactions import Message, Transactions
from streamrec.settings import Settings

pytestmark = pytest.mark.kafka


@pytest.fixture
async def kafka_log(settings_for_test: Settings) -> KafkaLog:
    """Of topics in which `push` and `events.dlq` have a record in each partition, and `articles.dlq` one in all."""
    settings = settings_for_test
    await create(settings)
    log = KafkaLog(settings)
    transactions = Transactions("writer", log)
    await transactions.start()
    async with transactions.begin() as writes:
        for number in range(settings.partitions):
            for topic in ("push", "events.dlq"):
                await writes.send(settings.topic(topic), number, [Message(b"k", f"{topic} {number}".encode())])
        await writes.send(settings.topic("articles.dlq"), 0, [Message(b"k", b"articles.dlq 0")])
    await transactions.stop()
    await settled(settings, *map(settings.topic, ("push", "events.dlq", "articles.dlq")))
    return log


async def values(
    reader: KafkaReader, settings: Settings, topic: str, number: int, start: int = 0
) -> list[bytes | None]:
    """All of one partition."""
    return [record.value for record in await read_all(reader, settings.topic(topic), number, start=start)]


async def test_a_kept_reader_reads_what_it_is_asked_for(kafka_log: KafkaLog, settings_for_test: Settings) -> None:
    """Whatever it has read before, of topics of other sizes too; it is one consumer all the time."""
    settings, used = settings_for_test, set()
    for number in (0, 3, 1, 3):
        async with kafka_log.reader() as reader:
            used.add(id(reader._reading.consumer))
            for topic in ("push", "events.dlq"):
                assert await values(reader, settings, topic, number) == [f"{topic} {number}".encode()]
            assert await values(reader, settings, "push", number, start=1) == []
            assert await values(reader, settings, "articles.dlq", 0) == [b"articles.dlq 0"]
            names = [settings.topic(topic) for topic in ("push", "events")]
            assert await reader.beginnings(names, number) == dict.fromkeys(names, 0)
            assert await reader.ends(names, number) == dict(zip(names, (2, 0), strict=True))  # with a marker
    assert len(used) == 1


async def test_readers_at_the_same_time_are_several(kafka_log: KafkaLog) -> None:
    """Nobody is given what somebody else reads with."""
    async with kafka_log.reader() as one, kafka_log.reader() as other:
        assert one._reading.consumer is not other._reading.consumer


async def test_a_reader_is_closed_when_nobody_takes_it(kafka_log: KafkaLog, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a moment, and at once where something failed in its block: it may be in the midst of anything."""
    monkeypatch.setattr(log_module, "KEPT_S", 0.05)
    async with kafka_log.reader() as reader:
        pass
    kept = reader._reading.consumer
    with pytest.raises(OSError, match="no such disk"):
        async with kafka_log.reader() as reader:
            assert reader._reading.consumer is kept
            raise OSError("no such disk")
    assert kept._closed
    async with kafka_log.reader() as reader:
        assert reader._reading.consumer is not kept
    await asyncio.gather(*kafka_log._closing)
    assert reader._reading.consumer._closed
    assert kafka_log._kept == {"read_committed": [], "read_uncommitted": []}


def test_a_reader_is_closed_when_its_loop_ends(settings_for_test: Settings) -> None:
    """A command that has read ends without a consumer that nobody closed."""

    async def read() -> tuple[KafkaLog, KafkaReader]:
        log = KafkaLog(settings_for_test)
        async with log.reader() as reader:
            return log, reader

    log, reader = asyncio.run(read())
    assert reader._reading.consumer._closed
    assert log._kept["read_committed"] == []


@pytest.mark.parametrize("leader", [1, 99])
async def test_a_producer_knows_what_its_sibling_was_told(
    kafka_log: KafkaLog, settings_for_test: Settings, leader: int
) -> None:
    """It need not ask for the topics; where a leader has moved since, it asks, and what it writes arrives."""
    topic = settings_for_test.topic("push")
    eldest, younger = kafka_log.producer("eldest"), kafka_log.producer("younger")
    await eldest.start()
    await eldest.partitions_for(topic)
    of_eldest = eldest._metadata._partitions[topic]
    of_eldest[0] = of_eldest[0]._replace(leader=leader)
    await younger.start()
    assert younger._metadata.leader_for_partition(TopicPartition(topic, 0)) == leader
    await younger.begin_transaction()
    batch = younger.create_batch()
    batch.append(timestamp=None, key=b"k", value=b"new")
    await (await younger.send_batch(batch, topic, partition=0))
    await younger.commit_transaction()
    await asyncio.gather(eldest.stop(), younger.stop())
    await settled(settings_for_test, topic)
    async with kafka_log.reader() as reader:
        assert await values(reader, settings_for_test, "push", 0) == [b"push 0", b"new"]
