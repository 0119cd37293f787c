"""Letters that stay, on a real broker: those that are cut or too long, of `catalog`, of articles that moved on."""

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition
from on_kafka import settled
from operations.dlq.letters_of import arrived, dead, open_letters, values, write

from streamrec.contracts.decode import Origin, dead_letter
from streamrec.contracts.limits import BATCH_BYTES
from streamrec.contracts.records import DeadLetter
from streamrec.kafka.log import KafkaLog
from streamrec.kafka.topics import create
from streamrec.kafka.transactions import LETTER_BYTES, Message, Transactions
from streamrec.operations.dlq.later_versions import since
from streamrec.operations.dlq.redriving import NOT_CATALOG, plan, redrive, redrives
from streamrec.settings import Settings

pytestmark = pytest.mark.kafka


@pytest.fixture
async def cluster(settings_for_test: Settings) -> Settings:
    """With all topics."""
    await create(settings_for_test)
    return settings_for_test


async def test_a_cut_letter_stays(cluster: Settings) -> None:
    """Half a record is never written back, even if it is asked for; the others of the same run are."""
    await write(cluster, [dead(cluster, "events", 0, value=b"x" * 1_000_000), dead(cluster, "events", 1)])
    letters = await open_letters(cluster)
    ((_, why),) = plan(letters, cluster).refused
    assert why.startswith(f"value of 1000000 bytes was cut to {LETTER_BYTES}; take it from")
    assert await redrive(cluster, redrives(letters)) == 1
    assert values(await arrived(cluster, "events")) == [b"v1"]
    assert len(await open_letters(cluster)) == 1


async def test_an_article_is_not_rolled_back(cluster: Settings) -> None:
    """v1 failed in partition 3; it was withdrawn meanwhile, or there is a v2: those stay the last of the key."""
    topic, first = cluster.topic("catalog"), DeadLetter("", 3, 0, "processing_error", "", b"a1", b"v1")
    await write(cluster, [first._replace(topic=topic), first._replace(topic=topic, key=b"a2")])
    pipeline = Transactions(f"{cluster.group_id}-content", KafkaLog(cluster))
    await pipeline.start()
    async with pipeline.begin() as writes:
        await writes.send(topic, 3, [Message(b"a1", b"v1"), Message(b"a2", b"v1")])
        await writes.send(topic, 3, [Message(b"a1", b"v1 withdrawn"), Message(b"a2", b"v2")])
    await pipeline.stop()
    await settled(cluster, topic)
    letters = await open_letters(cluster)
    assert await redrive(cluster, redrives(letters)) == 0
    assert {record.key: record.value for record in await arrived(cluster, "catalog")} == {
        b"a1": b"v1 withdrawn", b"a2": b"v2"
    }  # fmt: skip
    assert [why for _, why in plan(letters, cluster).refused] == [NOT_CATALOG] * 2


async def test_as_long_as_a_letter_can_be(cluster: Settings) -> None:
    """One that was set aside whole goes back whole, at the limit, too; one that only an earlier release wrote stays."""
    long = dead(cluster, "events", 0, trail=[("long", bytes(BATCH_BYTES - 500))])
    longer = dead(cluster, "events", 1)
    await write(cluster, [long])
    await send_alone(cluster, "events.dlq", Message(b"k1", b"v1", [*longer.headers(), ("long", bytes(1_000_000))]))
    letters = await open_letters(cluster)
    ((refused, why),) = plan(letters, cluster).refused
    assert (refused.key, f"at most {BATCH_BYTES} can be written back" in why) == (b"k1", True)
    assert await redrive(cluster, redrives(letters)) == 1
    (record,) = await arrived(cluster, "events")
    assert (record.key, record.headers[0]) == (b"k0", ("long", bytes(BATCH_BYTES - 500)))


async def send_alone(settings: Settings, topic: str, message: Message) -> None:
    """By a producer whose only limit is the broker's."""
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers, max_request_size=2_000_000)
    await producer.start()
    key, value, headers, _ = message
    await producer.send_and_wait(settings.topic(topic), value, key, 0, headers=list(headers))
    await producer.stop()


async def test_an_article_that_was_withdrawn_stays(cluster: Settings) -> None:
    """v1 was set aside; a tombstone, or another version, came behind it. Without one it goes, as does one astray."""
    for key in (b"gone", b"newer", b"alone", b"framed", b"unkeyed"):
        await send_alone(cluster, "articles", Message(key, b"v1"))
    records = await arrived(cluster, "articles")
    origin = Origin(cluster.topic("articles"), 0)
    await write(cluster, [dead_letter(record, origin, "processing_error", "") for record in records])
    await write(cluster, [dead(cluster, "articles", 0, key=None, value=b"v0")])
    await send_alone(cluster, "articles", Message(b"gone", None))
    await send_alone(cluster, "articles", Message(b"newer", b"v2"))
    await send_alone(cluster, "articles", Message(b'{"article_id":"framed"}', None))
    await send_alone(cluster, "articles", Message(None, b'{"article_id":"unkeyed","status":"withdrawn"}'))
    letters = await open_letters(cluster)
    planned = plan(letters, cluster, await since(cluster, letters))
    assert {letter.key for letter, why in planned.refused if "a later record" in why} == {
        b"gone",
        b"newer",
        b"framed",
        b"unkeyed",
    }
    assert await redrive(cluster, redrives(letters)) == 2
    records = (await arrived(cluster, "articles"))[9:]
    assert {(record.key, record.value) for record in records} == {(b"alone", b"v1"), (None, b"v0")}


async def test_an_article_of_which_nothing_is_known_any_more_stays(cluster: Settings) -> None:
    """Retention has deleted the record, and a tombstone behind it may be gone as well."""
    await send_alone(cluster, "articles", Message(b"a1", b"v1"))
    (record,) = await arrived(cluster, "articles")
    await write(cluster, [dead_letter(record, Origin(cluster.topic("articles"), 0), "processing_error", "")])
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.brokers)
    await admin.start()
    await admin.delete_records({TopicPartition(cluster.topic("articles"), 0): RecordsToDelete(1)})
    await admin.close()
    assert await redrive(cluster, redrives(await open_letters(cluster))) == 0
    assert await arrived(cluster, "articles") == []
