"""Recovery from a real log: the state that was lost, or a refusal; never a state that is a little wrong."""

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np
import orjson
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from making import AffinityScores, Feed, article, click, policy
from on_kafka import now_ms, settled

from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.records import TOPICS
from streamrec.errors import StateError
from streamrec.kafka.log import KafkaLog
from streamrec.kafka.topics import changelog_topic, create
from streamrec.kafka.transactions import Message, Transactions
from streamrec.partition.changelog_meta import LAYOUT_KEY, Meta, layout_record
from streamrec.partition.changes import Changes
from streamrec.partition.partition import Partition, PartitionContext
from streamrec.settings import Settings
from streamrec.worker.recovery.recovery import recover

pytestmark = pytest.mark.kafka

NUMBER = 2


def empty(settings: Settings) -> Partition:
    """Partition 2, before anything happened."""
    topics = {topic: settings.topic(topic) for topic in TOPICS}
    return Partition(PartitionContext(NUMBER, policy(), AffinityScores(), topics=topics))


def known(at_ms: int) -> list[AnalysedArticle]:
    """Articles published now."""
    return [
        article(f"a{n}", topic=f"t{n % 2}", published_at_ms=at_ms, known_at_ms=at_ms, expires_at_ms=at_ms + 3_600_000)
        for n in range(6)
    ]


async def write(settings: Settings, topic: str, records: Sequence[tuple[bytes, bytes | None]]) -> None:
    """One transaction of the partition's owner."""
    transactions = Transactions(f"{settings.group_id}-{NUMBER}", KafkaLog(settings))
    await transactions.start()
    async with transactions.begin() as writes:
        await writes.send(topic, NUMBER, [Message(key, value) for key, value in records])
    await transactions.stop()
    await settled(settings, topic)


async def end_of(settings: Settings, topic: str) -> int:
    """Offset after the last record of partition 2, control records included."""
    consumer = AIOKafkaConsumer(bootstrap_servers=settings.brokers, isolation_level="read_committed")
    await consumer.start()
    tp = TopicPartition(topic, NUMBER)
    end = int((await consumer.end_offsets([tp]))[tp])
    await consumer.stop()
    return end


async def test_recovered_equals_what_was_lost(settings_for_test: Settings) -> None:
    """Rows of several transactions and the catalog before the cursor give the same state again."""
    await create(settings_for_test)
    at_ms, changelog, catalog = now_ms(), changelog_topic(settings_for_test), settings_for_test.topic("catalog")
    articles = known(at_ms)
    await write(settings_for_test, catalog, [(a.article_id.encode(), msgspec.json.encode(a)) for a in articles])
    state = empty(settings_for_test)
    state.cursor["rerouted"] = 0
    feed = Feed(state)
    for changes in _history(feed, articles, at_ms):
        state.cursor["catalog"] = await end_of(settings_for_test, catalog)
        await write(settings_for_test, changelog, state.encode(changes.unique_rows()))
    await write(settings_for_test, settings_for_test.topic("events"), state.cursor["events"] * [(b"", b"")])
    later = article("later", published_at_ms=at_ms, known_at_ms=at_ms)  # behind the cursor: not part of the state
    await write(settings_for_test, catalog, [(b"later", msgspec.json.encode(later))])
    successor = empty(settings_for_test)
    recovered = await recover(successor, KafkaLog(settings_for_test), changelog, settings_for_test.partitions)
    assert (recovered.rows, recovered.articles, recovered.lost) == (40, 6, {})
    state.cursor = dict.fromkeys(TOPICS, 0) | state.cursor  # an owner begins where an input does
    assert successor.cursor == state.cursor
    assert dict(successor.encode(np.arange(40))) == dict(state.encode(np.arange(40)))
    assert successor.catalog.slot("later") is None
    for column in ("key", "story", "readers"):
        assert np.array_equal(successor.catalog[column], state.catalog[column]), column


def _history(feed: Feed, articles: list[AnalysedArticle], at_ms: int) -> Iterator[Changes]:
    yield feed.articles(*articles, now_ms=at_ms)
    yield feed.events(*[click(f"u{n}", f"a{n % 7}", at_ms=at_ms - n) for n in range(40)], now_ms=at_ms)
    yield feed.events(*[click(f"u{n}", f"a{n % 3}", at_ms=at_ms + n) for n in range(0, 40, 3)], now_ms=at_ms + 50)


async def test_an_open_transaction_is_not_state(settings_for_test: Settings) -> None:
    """What a dead owner wrote and did not commit is not recovered, once its successor has taken over its ids."""
    await create(settings_for_test)
    changelog = changelog_topic(settings_for_test)
    state = empty(settings_for_test)
    Feed(state).events(click("ann"), click("bo"))
    await write(settings_for_test, settings_for_test.topic("events"), state.cursor["events"] * [(b"", b"")])
    await write(settings_for_test, changelog, state.encode(np.array([0])))
    dead = Transactions(f"{settings_for_test.group_id}-{NUMBER}", KafkaLog(settings_for_test))
    await dead.start()
    open_one = dead.begin()
    writes = await open_one.__aenter__()
    await writes.send(changelog, NUMBER, [Message(*record) for record in state.encode(np.array([1]))])
    await writes.acknowledged()
    heir = Transactions(f"{settings_for_test.group_id}-{NUMBER}", KafkaLog(settings_for_test))
    await heir.start()
    successor = empty(settings_for_test)
    await recover(successor, KafkaLog(settings_for_test), changelog, settings_for_test.partitions)
    assert successor.profiles.users == ["ann"]
    await heir.stop()
    await dead.stop()


async def test_an_empty_log_is_a_beginning(settings_for_test: Settings) -> None:
    """Nothing there yet: no users, and a cursor at the start of every input."""
    await create(settings_for_test)
    fresh = empty(settings_for_test)
    recovered = await recover(
        fresh, KafkaLog(settings_for_test), changelog_topic(settings_for_test), settings_for_test.partitions
    )
    assert (recovered.rows, recovered.articles, len(fresh.profiles)) == (0, 0, 0)
    assert fresh.cursor == dict.fromkeys(TOPICS, 0)


@pytest.mark.parametrize(
    ("record", "says"),
    [
        ((LAYOUT_KEY, orjson.dumps(orjson.loads(layout_record(4)[1]) | {"layout": 99})), "layout 99"),
        (layout_record(24), "STREAMREC_PARTITIONS is 4"),
        ((b"ann", b"too short to be a row"), "21 bytes"),
    ],
)
async def test_a_foreign_log_is_refused(settings_for_test: Settings, record: tuple[bytes, bytes], says: str) -> None:
    """Rows of another layout or another partition count are not read as ours; the message says what was found."""
    await create(settings_for_test)
    changelog = changelog_topic(settings_for_test)
    await write(settings_for_test, changelog, [record])
    with pytest.raises(StateError, match=says):
        await recover(empty(settings_for_test), KafkaLog(settings_for_test), changelog, settings_for_test.partitions)


async def test_a_cursor_beyond_the_end_is_refused(settings_for_test: Settings) -> None:
    """The topic was made anew: what is written up to that offset would be passed over, and nothing would show it."""
    await create(settings_for_test)
    changelog, events = changelog_topic(settings_for_test), settings_for_test.topic("events")
    await write(settings_for_test, events, [(b"ann", b"{}")])
    end = await end_of(settings_for_test, events)
    await write(settings_for_test, changelog, [Meta({"events": end}, 0).record()])
    await recover(empty(settings_for_test), KafkaLog(settings_for_test), changelog, settings_for_test.partitions)
    await write(settings_for_test, changelog, [Meta({"events": end + 1}, 0).record()])
    says = f"{events}-{NUMBER}: reading goes on at offset {end + 1}, and the log ends at {end}: .* topics rewind"
    with pytest.raises(StateError, match=says):
        await recover(empty(settings_for_test), KafkaLog(settings_for_test), changelog, settings_for_test.partitions)
