"""A follower and a broker that goes away: it says how old it is, goes on afterwards, and knows another log."""

import asyncio
from collections.abc import Iterator

import numpy as np
import pytest
from aiokafka.admin import NewTopic
from on_kafka import now_ms, settled, until

from streamrec.content.encoder import HashedEncoder
from streamrec.engine.profiles.layout import DEFAULTS, ROW
from streamrec.errors import KafkaError, StateError
from streamrec.follower.follower import Follower
from streamrec.kafka.clients import admin
from streamrec.kafka.log import KafkaLog
from streamrec.kafka.topics import changelog_topic, create
from streamrec.kafka.transactions import Message, Transactions
from streamrec.partition.changelog_meta import Meta, owner_records
from streamrec.settings import Settings, load
from streamrec.tools.local_kafka.local_kafka import local_kafka
from streamrec.tools.local_kafka.process import LocalKafka

pytestmark = pytest.mark.kafka


@pytest.fixture
def broker() -> Iterator[LocalKafka]:
    """One that may be killed."""
    with local_kafka(load().kafka_cache) as kafka:
        yield kafka


async def write(settings: Settings, *users: str, first: bool = False) -> None:
    """Rows in one transaction, as an owner writes them."""
    row = np.zeros(1, ROW)
    for name, value in DEFAULTS.items():
        row[name] = value
    row["n_reads"] = len(users)
    rows = [Message(user.encode(), row.tobytes()) for user in users]
    records = [Message(*record) for record in owner_records(1, HashedEncoder().space_id)] if first else []
    transactions = Transactions(f"{settings.group_id}-0", KafkaLog(settings))
    await transactions.start()
    async with transactions.begin() as writes:
        await writes.send(changelog_topic(settings), 0, [*records, *rows, Message(*Meta({}, now_ms()).record())])
    await transactions.stop()
    await settled(settings, changelog_topic(settings))


def readers(follower: Follower) -> set[str]:
    """Who has a row in the copy."""
    return set(follower.partitions[0].profiles)


async def make_anew(settings: Settings) -> None:
    """Delete the changelog and make it again."""
    topic = changelog_topic(settings)
    async with admin(settings) as client:
        await client.delete_topics([topic])
        for _ in range(50):
            await asyncio.sleep(0.2)
            answer = await client.create_topics([NewTopic(topic, 1, 1)])
            if answer.topic_errors[0][1] == 0:
                return
    raise AssertionError("the topic was not made again")


def test_a_broker_that_goes_and_comes_back(broker: LocalKafka) -> None:
    """Meanwhile the copy says since when it is cut off; then it has what was written, and ends with another log."""
    settings = load({}, brokers=f"127.0.0.1:{broker.port}", partitions=1, app_id="cut", web_port=0)

    async def scene() -> None:
        await create(settings)
        await write(settings, "u1", "u2", first=True)
        follower = Follower(settings)
        await follower.start()
        try:
            assert readers(follower) == {"u1", "u2"}
            await write(settings, "u3")
            await until(lambda: readers(follower) == {"u1", "u2", "u3"})
            (before,) = follower.lag()
            assert before.at_end
            assert before.age_ms < 3_000
            broker.kill()
            gone_ms = now_ms()
            await until(lambda: bool(follower.lag()[0].cut_off_since_ms))
            (away,) = follower.lag()
            assert abs(away.cut_off_since_ms - gone_ms) < 3_000
            assert away.age_ms > 4_500
            assert away.as_of_ms <= gone_ms + 1_000
            assert readers(follower) == {"u1", "u2", "u3"}
            await asyncio.to_thread(broker.restart)
            await write(settings, "u4")
            await until(lambda: "u4" in readers(follower))
            await until(lambda: not follower.lag()[0].cut_off_since_ms and follower.lag()[0].at_end)
            assert follower.error is None
            await make_anew(settings)
            await until(lambda: follower.error is not None)
            assert isinstance(follower.error, StateError | KafkaError)
            with pytest.raises(type(follower.error), match="changelog"):
                await follower.ask(len)
        finally:
            await follower.stop()

    asyncio.run(scene())


def test_a_log_of_another_deployment_is_refused(kafka: str, settings_for_test: Settings) -> None:
    """Another number of partitions, another space, or no topics: one sentence before anything is shown."""
    settings = settings_for_test.changed(partitions=1)

    async def refusal(of: Settings) -> str:
        follower = Follower(of)
        with pytest.raises(Exception, match=r"partitions|space|missing") as told:
            await follower.start()
        await follower.stop()
        return str(told.value)

    async def scene() -> None:
        assert "topics create" in await refusal(settings)
        await create(settings)
        await write(settings, "u1", first=True)
        assert "STREAMREC_PARTITIONS" in await refusal(settings.changed(partitions=2))
        await write(settings, "u2", first=True)
        other = Message(b"\xffspace", b'{"space": "another"}')
        transactions = Transactions(f"{settings.group_id}-0", KafkaLog(settings))
        await transactions.start()
        async with transactions.begin() as writes:
            await writes.send(changelog_topic(settings), 0, [other])
        await transactions.stop()
        await settled(settings, changelog_topic(settings))
        assert "another" in await refusal(settings)

    asyncio.run(scene())
