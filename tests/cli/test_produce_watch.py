"""`topics`, `produce` and `watch` as a person uses them, on a real broker."""

import asyncio
import json
import time

import click
import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from click.testing import CliRunner, Result

from streamrec.cli.produce import produce
from streamrec.cli.topics import topics
from streamrec.cli.watch import watch
from streamrec.contracts.limits import MAX_RECORD_BYTES
from streamrec.contracts.partitioner import partition_of
from streamrec.contracts.push import ModelStamp, Push, Reason
from streamrec.errors import KafkaError
from streamrec.kafka.topics import create
from streamrec.operations.json_lines import keyed
from streamrec.settings import Settings

pytestmark = pytest.mark.kafka

AT_MS = 1_767_225_600_000
ARTICLE = {"article_id": "a1", "title": "Quantum chip", "published_at_ms": AT_MS}
EVENT = {"user_id": "u0421", "article_id": "a1", "action": "click", "at_ms": AT_MS}
PUSH = Push(
    push_id="p1",
    user_id="u0421",
    article_id="a1",
    article_version=0,
    story_id="s1",
    title="Quantum \x1b[31mchip",
    deep_link="",
    category="science",
    priority="normal",
    created_at_ms=AT_MS,
    expires_at_ms=AT_MS + 1,
    collapse_id="s1",
    relevance=0.31,
    reason=Reason("recent_reads", {"count": 3, "category": "science"}),
    model=ModelStamp("m", "1", "int8"),
    trigger="article",
    event_at_ms=AT_MS,
)


@pytest.fixture
async def cluster(settings_for_test: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The test's settings as a user gives them: in the environment. No topics yet."""
    for name in ("brokers", "topic_prefix", "app_id", "partitions"):
        monkeypatch.setenv(f"STREAMREC_{name.upper()}", str(getattr(settings_for_test, name)))
    return settings_for_test


def lines(*records: object) -> bytes:
    """JSON lines."""
    return b"".join((r if isinstance(r, bytes) else json.dumps(r).encode()) + b"\n" for r in records)


async def run(command: click.Command, *arguments: str, given: bytes = b"") -> Result:
    """A command as from a shell; in a thread, since it starts a loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, command, list(arguments), input=given)


async def records_of(settings: Settings, topic: str, count: int) -> list[tuple[int, bytes | None, bytes | None]]:
    """Partition, key and value of the first `count` records of a topic."""
    topic = settings.topic(topic)
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=settings.brokers, auto_offset_reset="earliest")
    await consumer.start()
    try:
        found = [await consumer.getone() for _ in range(count)]
    finally:
        await consumer.stop()
    return [(record.partition, record.key, record.value) for record in found]


async def test_events_are_keyed_by_user_and_partitioned_by_murmur2(cluster: Settings) -> None:
    """What produce writes is where the worker looks for this user."""
    await create(cluster)
    users = [f"u{n}" for n in range(20)]
    result = await run(produce, "events", given=lines(*({**EVENT, "user_id": user} for user in users)))
    assert (result.exit_code, result.output) == (0, "20 records sent to events\n")
    found = await records_of(cluster, "events", 20)
    assert {key for _, key, _ in found} == {user.encode() for user in users}
    assert all(partition == partition_of((key or b"").decode(), cluster.partitions) for partition, key, _ in found)


async def test_a_bad_line_is_named_and_the_others_are_sent(cluster: Settings) -> None:
    """Line number and what was expected for each bad line; blank lines count and are skipped; exit code 1."""
    await create(cluster)
    given = lines(ARTICLE, b"", b"{bad", {**ARTICLE, "title": 5}, {**ARTICLE, "article_id": "a2"})
    result = await run(produce, "articles", given=given)
    assert result.exit_code == 1
    assert "line 3 is not sent: undecodable" in result.stderr
    assert "line 4 is not sent: invalid title: Expected `str`, got `int`" in result.stderr
    assert result.stdout == "2 records sent to articles, 2 lines left out\n"
    assert [key for _, key, _ in await records_of(cluster, "articles", 2)] == [b"a1", b"a2"]


@pytest.mark.parametrize(
    ("topic", "line", "key"),
    [
        ("events", {"user_id": "u1", "action": "unsubscribe"}, b"u1"),
        ("events", {"user_id": "u1", "action": "unsubscribe", "at_ms": 1, "tz": "GMT+2", "dwell_s": "x"}, b"u1"),
        ("articles", {"article_id": "a1", "status": "withdrawn"}, b"a1"),
        ("articles", {"article_id": "a1", "status": "killed", "title": None}, b"a1"),
        ("events", {**EVENT, "tz": "Nowhere/Land", "dwell_s": None, "user_id": "Ba\u0308r"}, "B\u00e4r".encode()),
    ],
)
def test_what_a_worker_would_take_is_sent(topic: str, line: dict[str, object], key: bytes) -> None:
    """A no above all: the schema asks for more than it needs. Where it lives follows from the id as it is kept."""
    named: list[str] = []
    sent = list(keyed(topic, [lines(line)], False, lambda _, why: named.append(why)))
    assert (sent, named) == ([(1, key, lines(line).strip())], [])


def test_what_a_worker_would_set_aside_is_named() -> None:
    """An hour ahead of now it would be refused, though the schema cannot say so."""
    named: list[str] = []
    ahead = lines({**EVENT, "at_ms": time.time_ns() // 1_000_000 + 3_600_000})
    assert not list(keyed("events", [ahead], False, lambda _, why: named.append(why)))
    assert len(named) == 1


def test_a_line_above_the_limit_is_named() -> None:
    """It would be set aside as too_large: it is not sent, like any other line that is no record; --raw sends it."""
    longest = lines({**ARTICLE, "extra": ""}).strip()
    longest = longest[:-2] + b"x" * (MAX_RECORD_BYTES - len(longest)) + longest[-2:]
    named: list[tuple[int, str]] = []
    given = [longest, longest + b" \n", longest[:-1] + b" }"]
    sent = keyed("articles", given, False, lambda number, why: named.append((number, why)))
    assert [number for number, _, _ in sent] == [1, 2]
    assert named == [(3, f"it has {MAX_RECORD_BYTES + 1} bytes; at most {MAX_RECORD_BYTES} are taken")]
    assert len(list(keyed("articles", given, True, lambda *_: None))) == 3


def test_a_line_nested_deep_is_sent() -> None:
    """In a field nobody asked for, deeper than Python's own limit: a worker takes such a record, too."""
    good, named = lines(ARTICLE).strip(), list[int]()
    deep = good[:-1] + b', "x": ' + b"[" * 1200 + b"]" * 1200 + b"}"
    sent = keyed("articles", [deep, good], False, lambda number, _: named.append(number))
    assert ([number for number, _, _ in sent], named) == ([1, 2], [])


async def test_raw_sends_what_the_contract_forbids(cluster: Settings) -> None:
    """--raw is how to see a dead letter: bytes untouched, no key where none can be read."""
    await create(cluster)
    result = await run(produce, "articles", "--raw", given=lines(ARTICLE, b"\xff{bad"))
    assert result.exit_code == 0
    assert (await records_of(cluster, "articles", 2))[1] == (0, None, b"\xff{bad")


async def test_a_record_the_broker_refuses_is_named(cluster: Settings) -> None:
    """Two megabytes are more than a topic takes: a line number, not a traceback, and the others are sent."""
    await create(cluster)
    given = lines(ARTICLE, {**ARTICLE, "abstract": "y" * 2_000_000}, ARTICLE)
    result = await run(produce, "articles", "--raw", given=given)
    assert result.exit_code == 1
    assert "line 2 is not sent: it is larger than the topic takes" in result.stderr
    assert "2 records sent" in result.stdout


async def test_without_topics_both_commands_name_the_cure(cluster: Settings) -> None:
    """Neither waits for a topic that nobody makes."""
    for result in (await run(produce, "articles", given=lines(ARTICLE)), await run(watch)):
        assert isinstance(result.exception, KafkaError)
        assert "streamrec topics create" in str(result.exception)


async def test_topics_check_answers_with_its_exit_code(cluster: Settings) -> None:
    """1 before create, 0 after it: a deployment can wait for it."""
    assert (await run(topics, "check")).exit_code == 1
    assert f"made {cluster.topic('events')}" in (await run(topics, "create")).output
    assert (await run(topics, "check")).exit_code == 0
    assert cluster.topic("articles.dlq") in (await run(topics, "list")).output


async def test_watch_passes_over_what_is_no_push(cluster: Settings) -> None:
    """It is named, and what comes after it is shown."""
    await create(cluster)
    good = msgspec.json.encode(PUSH)
    deep = good[:-1] + b',"x":' + b"[" * 1200 + b"]" * 1200 + b"}"
    async with AIOKafkaProducer(bootstrap_servers=cluster.brokers) as producer:
        for value in (b"garbage", deep, None, good):
            await producer.send_and_wait(cluster.topic("push"), value=value, key=b"k", partition=0)
    seen = await run(watch, "--from-beginning", "--limit", "1")
    assert seen.exit_code == 0
    assert f"{cluster.topic('push')}-0: what lies at offset 2 is no push" in seen.stderr
    assert len(seen.stdout.splitlines()) == 1


async def test_watch_shows_committed_pushes_only(cluster: Settings) -> None:
    """A push of an aborted transaction never left; one that did is one readable line without terminal codes."""
    await create(cluster)
    producer = AIOKafkaProducer(bootstrap_servers=cluster.brokers, transactional_id=cluster.group_id)
    await producer.start()
    try:
        for push_id, commit in (("aborted", False), ("p1", True)):
            await producer.begin_transaction()
            value = msgspec.json.encode(msgspec.structs.replace(PUSH, push_id=push_id))
            await producer.send_and_wait(cluster.topic("push"), value=value, partition=0)
            await (producer.commit_transaction() if commit else producer.abort_transaction())
    finally:
        await producer.stop()
    text = await run(watch, "--from-beginning", "--limit", "1")
    assert "u0421" in text.output
    assert "because: 3 recent reads in science" in text.output
    assert "\x1b" not in text.output
    raw = json.loads((await run(watch, "--from-beginning", "--limit", "1", "--json")).output)
    assert (raw["push_id"], set(raw)) == ("p1", set(Push.__struct_fields__))
