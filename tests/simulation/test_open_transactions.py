"""The embedded broker ends what was open when it was killed: chaos runs stand on that.

Kafka 4.3 and 4.4 do not (KAFKA-20734). A restarted broker begins with the leaders of before, and what was to be
committed or aborted still is, while nothing can be sent to it yet; then it registers anew, for a moment nobody leads,
and its coordinator takes the partitions for deleted.
"""

import asyncio
import itertools
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from on_kafka import until

from streamrec.settings import Settings, load
from streamrec.simulation.kafka_process import LocalKafka
from streamrec.simulation.local_kafka import local_kafka
from streamrec.worker.log import KafkaLog
from streamrec.worker.transaction import Message, Transactions

TOPIC, PARTITIONS = "push", 8


@pytest.mark.kafka
def test_open_transactions_end_after_kill_9(jars: Path) -> None:
    """Readers of committed records come to the end of every partition, though nobody starts the producers again."""
    with local_kafka(jars) as broker:
        settings = load({}, brokers=broker.bootstrap, transaction_timeout_s=5.0)
        asyncio.run(create(settings))
        asyncio.run(kill_amid_commits(broker, settings))
        broker.restart()
        asyncio.run(until(lambda: nothing_is_open(settings)))


async def kill_amid_commits(broker: LocalKafka, settings: Settings) -> None:
    """Every partition has an owner at work, and they die with the broker."""
    owners = [asyncio.create_task(commit_for_ever(settings, number)) for number in range(PARTITIONS)]
    await until(lambda: has_records(settings, 20))
    broker.kill()
    assert not any(owner.done() for owner in owners)


async def create(settings: Settings) -> None:
    """One topic: the fewer partitions, the quicker the restart."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.brokers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1)])
    finally:
        await admin.close()


async def commit_for_ever(settings: Settings, number: int) -> None:
    """One transaction of one partition after another."""
    transactions = Transactions(f"owner-{number}", KafkaLog(settings))
    await transactions.start()
    for count in itertools.count():
        async with transactions.begin() as writes:
            await writes.send(TOPIC, number, [Message(None, b"%d" % count)])


async def has_records(settings: Settings, at_least: int) -> bool:
    """In every partition."""
    return min((await ends(settings, "read_uncommitted")).values()) >= at_least


async def nothing_is_open(settings: Settings) -> bool:
    """All that is written can be read by readers of committed records."""
    return await ends(settings, "read_committed") == await ends(settings, "read_uncommitted")


async def ends(settings: Settings, isolation_level: str) -> dict[TopicPartition, int]:
    """How far such a reader may read."""
    async with AIOKafkaConsumer(bootstrap_servers=settings.brokers, isolation_level=isolation_level) as consumer:
        tps = [TopicPartition(TOPIC, number) for number in range(PARTITIONS)]
        return dict(await consumer.end_offsets(tps))
