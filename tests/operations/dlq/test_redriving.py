"""Redriving on a real broker: back to where it came from, each letter once, whoever is killed and whenever."""

import asyncio
import threading
from collections.abc import Iterable

import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.structs import TopicPartition
from operations.dlq.letters_of import arrived, dead, open_letters, values, write

from streamrec.contracts.decode import Origin, dead_letter
from streamrec.contracts.inputs import is_redriven
from streamrec.contracts.partitioner import partition_of
from streamrec.errors import KafkaError
from streamrec.kafka.log import KafkaLog
from streamrec.kafka.topics import create
from streamrec.kafka.transactions import Message, Transactions, Writes
from streamrec.operations.dlq.letters import DEAD_LETTER_TOPICS, REDRIVEN_HEADER
from streamrec.operations.dlq.reading import read
from streamrec.operations.dlq.redriving import redrive, redrives
from streamrec.settings import Settings

pytestmark = pytest.mark.kafka


@pytest.fixture
async def cluster(settings_for_test: Settings) -> Settings:
    """With all topics."""
    await create(settings_for_test)
    return settings_for_test


class KilledError(Exception):
    """Stands for the end of the process."""


REDRIVEN = [topic for topic in DEAD_LETTER_TOPICS if is_redriven(topic)]
LETTERS = 5 * len(REDRIVEN)


@pytest.mark.parametrize("topic", REDRIVEN)
async def test_back_to_its_topic(cluster: Settings, topic: str) -> None:
    """Key, value, own headers unchanged, one header more; events where their user lives, others where they were."""
    await write(cluster, [dead(cluster, topic, number) for number in range(8)])
    letters = await open_letters(cluster)
    assert await redrive(cluster, redrives(letters)) == 8
    places = {letter.key: f"{cluster.topic_prefix}{letter.place} processing_error".encode() for letter in letters}
    records = await arrived(cluster, topic)
    assert values(records) == [b"v%d" % number for number in range(8)]
    for record in records:
        number = int(record.key[1:])
        assert record.partition == (0 if topic == "articles" else partition_of(f"k{number}", 4))
        assert list(record.headers) == [("trace", b"t%d" % number), ("streamrec-redriven-from", places[record.key])]


async def test_without_own_headers_without_key_and_tombstones(cluster: Settings) -> None:
    """Nothing is made up: null stays null and empty stays empty."""
    await write(
        cluster, [dead(cluster, "events", 2, key=None, value=None, trail=()), dead(cluster, "events", 3, value=b"")]
    )
    assert await redrive(cluster, redrives(await open_letters(cluster))) == 2
    found = {record.key: record for record in await arrived(cluster, "events")}
    assert (found[None].partition, found[None].value, len(found[None].headers)) == (2, None, 1)
    assert found[b"k3"].value == b""


async def test_twice_is_once(cluster: Settings) -> None:
    """A second run finds nothing open, nor does one that was told the same before the first; no marker is a letter."""
    await write(cluster, [dead(cluster, topic, number) for topic in REDRIVEN for number in range(5)])
    chosen = redrives(await open_letters(cluster))
    assert await redrive(cluster, chosen) == LETTERS
    assert await open_letters(cluster) == []
    assert len(await read(cluster)) == LETTERS
    assert await redrive(cluster, chosen) == 0
    assert [len(await arrived(cluster, topic)) for topic in REDRIVEN] == [5] * len(REDRIVEN)


async def test_killed_between_chunks(cluster: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was committed is marked; the next run does the rest, and nothing again."""
    monkeypatch.setattr("streamrec.operations.dlq.redriving.CHUNK_LETTERS", 3)
    await write(cluster, [dead(cluster, "events", number) for number in range(10)])

    def kill(done: int) -> None:
        raise KilledError(done)

    with pytest.raises(KilledError, match="3"):
        await redrive(cluster, redrives(await open_letters(cluster)), kill)
    assert len(await arrived(cluster, "events")) == 3
    assert len(rest := await open_letters(cluster)) == 7
    assert await redrive(cluster, redrives(rest)) == 7
    assert values(await arrived(cluster, "events")) == [b"v%d" % number for number in range(10)]


async def test_killed_within_a_transaction(cluster: Settings) -> None:
    """Records and marker are on the broker and were not committed: they never happened."""
    await write(cluster, [dead(cluster, "events", 0)])
    chosen = redrives(await open_letters(cluster))
    killed = Transactions(f"{cluster.group_id}-redrive", KafkaLog(cluster))
    await killed.start()
    context = killed.begin()
    writes = await context.__aenter__()
    await writes.send(cluster.topic("events"), 0, [Message(b"k0", b"v0")])
    await writes.send(cluster.topic("events.dlq"), 0, [Message(None, None, [(REDRIVEN_HEADER, b"0")])])
    await writes.acknowledged()
    assert await redrive(cluster, chosen) == 1
    await killed.stop()
    assert len(await arrived(cluster, "events")) == 1
    assert await open_letters(cluster) == []


async def test_killed_before_the_marker(cluster: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The records of a chunk are not committed without their markers."""
    await write(cluster, [dead(cluster, "events", number) for number in range(3)])
    chosen = redrives(await open_letters(cluster))
    send = Writes.send

    async def killed(writes: Writes, topic: str, partition: int, messages: Iterable[Message]) -> None:
        if topic.endswith(".dlq"):
            raise KilledError
        await send(writes, topic, partition, messages)
        await writes.acknowledged()

    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(Writes, "send", killed)
        await redrive(cluster, chosen)
    assert await redrive(cluster, chosen) == 3
    assert values(await arrived(cluster, "events")) == [b"v0", b"v1", b"v2"]


async def test_markers_are_read_after_the_fence(cluster: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What an earlier run commits in the last moment before it is fenced is known."""
    await write(cluster, [dead(cluster, "events", 0)])
    chosen = redrives(await open_letters(cluster))
    start = Transactions.start

    async def late(transactions: Transactions) -> None:
        monkeypatch.setattr(Transactions, "start", start)
        assert await redrive(cluster, chosen) == 1
        await start(transactions)

    monkeypatch.setattr(Transactions, "start", late)
    assert await redrive(cluster, chosen) == 0
    assert len(await arrived(cluster, "events")) == 1


async def test_a_second_run_stops_the_first(cluster: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both were told the same letters; the first is fenced after its first chunk and says so; each letter goes once."""
    monkeypatch.setattr("streamrec.operations.dlq.redriving.CHUNK_LETTERS", 2)
    await write(cluster, [dead(cluster, "events", number) for number in range(9)])
    chosen = redrives(await open_letters(cluster))
    first_chunk, go_on = threading.Event(), threading.Event()

    def wait(done: int) -> None:
        first_chunk.set()
        assert go_on.wait(60)

    async def run() -> int:
        return await redrive(cluster, chosen, wait)

    first = asyncio.create_task(asyncio.to_thread(lambda: asyncio.run(run())))
    assert await asyncio.to_thread(first_chunk.wait, 60)
    assert await redrive(cluster, chosen) == 7
    go_on.set()
    with pytest.raises(KafkaError, match="another redrive took over after 2 letters"):
        await first
    assert values(await arrived(cluster, "events")) == [b"v%d" % number for number in range(9)]


async def test_a_marker_behind_an_open_transaction_counts(cluster: Settings) -> None:
    """A worker's open transaction hides committed markers behind it; the run waits for it, or it would double."""
    await write(cluster, [dead(cluster, "events", 0)])
    chosen = redrives(await open_letters(cluster))
    worker, before = (Transactions(f"{cluster.group_id}-{name}", KafkaLog(cluster)) for name in ("worker", "redrive"))
    await asyncio.gather(worker.start(), before.start())
    async with worker.begin() as writes:
        await writes.send(cluster.topic("events.dlq"), 0, [Message(b"later", b"later")])
        await writes.acknowledged()
        async with before.begin() as marks:
            await marks.send(cluster.topic("events.dlq"), 0, [Message(None, None, [(REDRIVEN_HEADER, b"0")])])
        run = asyncio.create_task(redrive(cluster, chosen))
        await asyncio.wait([run], timeout=2)
    assert await run == 0
    await asyncio.gather(worker.stop(), before.stop())
    assert await arrived(cluster, "events") == []


async def test_again_counts_from_when_it_was_chosen(cluster: Settings) -> None:
    """A letter chosen once more goes once more, also if that run is repeated."""
    await write(cluster, [dead(cluster, "events", 0)])
    await redrive(cluster, redrives(await read(cluster)))
    chosen = redrives(await read(cluster))
    assert [await redrive(cluster, chosen) for _ in range(2)] == [1, 0]
    (letter,) = await read(cluster)
    assert (len(letter.redriven_ms), len(await arrived(cluster, "events"))) == (2, 2)


async def test_the_trail_of_two_failures(cluster: Settings) -> None:
    """A record that fails again is a letter of its own that knows where the record was; redriven, it knows of both."""
    await write(cluster, [dead(cluster, "events", 0)])
    for _ in range(2):
        await redrive(cluster, redrives(await open_letters(cluster)))
        record = (await arrived(cluster, "events"))[-1]
        origin = Origin(cluster.topic("events"), record.partition)
        await write(cluster, [dead_letter(record, origin, "invalid", "")])
    (letter,) = await open_letters(cluster)
    trail = [value.decode() for name, value in letter.own if name == "streamrec-redriven-from"]
    lay = [other.place for other in sorted(await read(cluster), key=lambda x: x.at_ms)][:2]
    assert letter.own[0] == ("trace", b"t0")
    assert trail == [f"{cluster.topic_prefix}{lay[0]} processing_error", f"{cluster.topic_prefix}{lay[1]} invalid"]


async def test_what_retention_deleted_is_left_out(cluster: Settings) -> None:
    """The first offsets are gone, some hold transaction markers: reading ends, and the rest is redriven."""
    for number in range(4):
        await write(cluster, [dead(cluster, "articles", number)])
    letters = await open_letters(cluster)
    admin = AIOKafkaAdminClient(bootstrap_servers=cluster.brokers)
    await admin.start()
    tp = TopicPartition(cluster.topic("articles.dlq"), 0)
    await admin.delete_records({tp: RecordsToDelete(letters[2].place.offset)})
    await admin.close()
    assert [letter.place.offset for letter in await open_letters(cluster)] == [x.place.offset for x in letters[2:]]
    assert await redrive(cluster, redrives(letters)) == 2
    assert values(await arrived(cluster, "articles")) == [b"v2", b"v3"]


async def test_an_aborted_letter_never_was(cluster: Settings) -> None:
    """Reading is read-committed: what a worker did not commit was not set aside."""
    aborted = Transactions(f"{cluster.group_id}-worker", KafkaLog(cluster))
    await aborted.start()
    with pytest.raises(KilledError):
        async with aborted.begin() as writes:
            await writes.send(
                cluster.topic("events.dlq"), 1, [Message(b"k", b"v", dead(cluster, "events", 1).headers())]
            )
            await writes.acknowledged()
            raise KilledError
    await write(cluster, [dead(cluster, "events", 5)])  # the next owner aborts what was left open
    await aborted.stop()
    assert [letter.key for letter in await read(cluster)] == [b"k5"]


async def test_another_number_of_partitions_is_refused(cluster: Settings) -> None:
    """Events would go to partitions where their users do not live."""
    with pytest.raises(KafkaError, match=r"events has 4 partitions, expected 8; set STREAMREC_PARTITIONS"):
        await read(cluster.changed(partitions=8), ["events"])


async def test_only_what_is_wanted_is_kept(cluster: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Values and headers of a portion at a time; every letter goes once, however small the portions are."""
    await write(cluster, [dead(cluster, "events", number) for number in range(7)])
    letters = await read(cluster, wanted=lambda letter: letter.key != b"k3")
    assert {letter.key for letter in letters} == {b"k%d" % number for number in range(7)} - {b"k3"}
    assert {(letter.value, letter.own) for letter in letters} == {(None, ())}
    monkeypatch.setattr("streamrec.operations.dlq.redriving.PORTION_LETTERS", 2)
    assert await redrive(cluster, redrives(letters)) == 6
    records = await arrived(cluster, "events")
    assert values(records) == [b"v0", b"v1", b"v2", b"v4", b"v5", b"v6"]
    assert {record.headers[0][0] for record in records} == {"trace"}
