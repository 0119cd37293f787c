"""Bad input on a real broker: each kind ends in `<topic>.dlq` with its origin and reason, and the worker goes on."""

import asyncio
import gzip
import json
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError
from on_kafka import (
    Sent,
    all_articles_applied,
    all_events_applied,
    article,
    event,
    logged,
    now_ms,
    read,
    rows_by_user,
    send,
    until,
)

from streamrec.contracts.ids import key_of
from streamrec.contracts.partitioner import partition_of
from streamrec.contracts.push import Push
from streamrec.engine.profiles.layout import CONSENT_OUT
from streamrec.kafka.topics import create
from streamrec.kafka.transactions import LETTER_BYTES
from streamrec.settings import Settings, load
from streamrec.tools.worker_process import WorkerProcess, value, worker_process

pytestmark = pytest.mark.kafka

PARTITIONS = 4
Y1970, Y2036 = 1_000, 2_082_758_400_000


def changed(sent: Sent, **fields: Any) -> bytes:
    """Its value with fields replaced; None removes one."""
    raw = json.loads(sent.value or b"") | fields
    return json.dumps({name: entry for name, entry in raw.items() if entry is not None}).encode()


DEEP = b"[" * 1200 + b"]" * 1199  # what is closed costs its field only
EVENT, ARTICLE = event("bad", "known"), article("bad")

# name -> topic, value, reason
BAD: dict[str, tuple[str, bytes | None, str]] = {
    "event: bytes": ("events", b"\xff\x00\xfe", "undecodable"),
    "event: half a record": ("events", b'{"user_id": "bad"', "undecodable"),
    "event: nothing": ("events", b"", "empty_value"),
    "event: tombstone": ("events", None, "empty_value"),
    "event: not an object": ("events", b"[1, 2]", "invalid"),
    "event: wrong type": ("events", changed(EVENT, at_ms="noon"), "invalid"),
    "event: no time": ("events", changed(EVENT, at_ms=None), "invalid"),
    "event: no user": ("events", changed(EVENT, user_id=None), "invalid"),
    "event: no article": ("events", changed(EVENT, article_id=None), "invalid"),
    "event: unknown action": ("events", changed(EVENT, action="teleport"), "invalid"),
    "event: empty user": ("events", changed(EVENT, user_id=""), "invalid"),
    "event: user of 10 kB": ("events", changed(EVENT, user_id="u" * 10_000), "invalid"),
    "event: 1970": ("events", changed(EVENT, at_ms=Y1970), "invalid"),
    "event: 2036": ("events", changed(EVENT, at_ms=Y2036), "in_future"),
    "event: half a character": ("events", changed(EVENT, user_id="\ud800"), "invalid"),
    "event: deep": ("events", changed(EVENT)[:-1] + b', "x": ' + DEEP + b"}", "undecodable"),
    "article: bytes": ("articles", b"\xff\x00\xfe", "undecodable"),
    "article: wrong type": ("articles", changed(ARTICLE, title=7), "invalid"),
    "article: no title": ("articles", changed(ARTICLE, title=None), "invalid"),
    "article: no id": ("articles", changed(ARTICLE, article_id=""), "invalid"),
    "article: 1970": ("articles", changed(ARTICLE, published_at_ms=Y1970), "invalid"),
    "article: 2036": ("articles", changed(ARTICLE, published_at_ms=Y2036), "in_future"),
    "article: unreadable embargo": ("articles", changed(ARTICLE, embargo_until_ms="soon"), "invalid"),
    "article: deep": ("articles", changed(ARTICLE)[:-1] + b', "x": ' + DEEP + b"}", "undecodable"),
    "article: 900 kB": ("articles", changed(ARTICLE, abstract="x" * 900_000), "too_large"),
    "article: 1 MB, all a producer may send": ("articles", changed(ARTICLE, abstract="y" * 1_048_000), "too_large"),
}


PUBLISHED = 2 + sum(topic == "articles" for topic, _, _ in BAD.values())


class Scene(NamedTuple):
    """A worker that was given all of it."""

    settings: Settings
    worker: WorkerProcess
    letters: dict[str, list[Any]]  # topic -> dead letters


@pytest.fixture(scope="module")
def scene(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    """One worker; every bad record with a good one before and after it."""
    name = f"bad{uuid.uuid4().hex[:8]}"
    settings = load(
        {},
        brokers=kafka,
        topic_prefix=f"{name}.",
        app_id=name,
        partitions=PARTITIONS,
        web_port=0,  # the other process of the suite has workers too
        session_gap_s=0.0,
        quiet_from="00:00",
        quiet_to="00:00",
        min_interval_s=0.0,
        min_score=0.0,
        min_affinity=0.0,
    )
    asyncio.run(create(settings))
    with worker_process(settings, tmp_path_factory.mktemp("bad") / "log") as worker:
        worker.wait_ready()
        asyncio.run(_all_of_it(settings, worker))
        letters = {
            topic: asyncio.run(read(settings, settings.topic(f"{topic}.dlq"), 1 if topic == "articles" else PARTITIONS))
            for topic in ("events", "articles")
        }
        yield Scene(settings, worker, letters)


async def _all_of_it(settings: Settings, worker: WorkerProcess) -> None:
    await send(settings, [article("known")])
    await until(lambda: value(worker.series(), "streamrec_catalog_articles") == 1)
    records = []
    for number, (topic, content, _) in enumerate(BAD.values()):
        good = event(f"good{number}", "known") if topic == "events" else article(f"good{number}")
        records += [good, Sent(topic, b"the key", content)]
    await send(settings, [*records, event("last", "known"), article("last")])
    await until(lambda: value(worker.series(), "streamrec_dead_letters_total") >= len(BAD))
    await until(lambda: all_events_applied(settings))
    await until(lambda: value(worker.series(), 'streamrec_articles_total{status="published"}') >= PUBLISHED)


@pytest.mark.parametrize("kind", BAD)
def test_it_is_set_aside(scene: Scene, kind: str) -> None:
    """With reason and origin in the headers, key and value untouched up to a length, nothing of it in the detail."""
    topic, content, reason = BAD[kind]
    kept = content and content[:LETTER_BYTES]
    (letter,) = [r for r in scene.letters[topic] if r.value == kept]
    headers = dict(letter.headers)
    assert letter.key == b"the key"
    assert headers["streamrec-reason"].decode() == reason
    assert headers["streamrec-topic"].decode() == scene.settings.topic(topic)
    records = asyncio.run(read(scene.settings, scene.settings.topic(topic), 1 if topic == "articles" else PARTITIONS))
    place = int(headers["streamrec-partition"]), int(headers["streamrec-offset"])
    (original,) = [r for r in records if (r.partition, r.offset) == place]
    assert original.value == content
    assert b"teleport" not in headers["streamrec-detail"]
    assert b"soon" not in headers["streamrec-detail"]


def test_everything_else_went_on(scene: Scene) -> None:
    """The good records around the bad ones are applied, each once; the worker is the one that was started."""
    rows = asyncio.run(rows_by_user(scene.settings))
    good = {f"good{number}" for number, (topic, _, _) in enumerate(BAD.values()) if topic == "events"}
    assert {user for user in rows if rows[user]["n_reads"] == 1} >= good | {"last"}
    assert "bad" not in rows
    assert value(scene.worker.series(), 'streamrec_articles_total{status="published"}') == PUBLISHED
    assert scene.worker.exit_code() is None
    assert scene.worker.restarts == 0


def test_a_stray_key_and_no_key(scene: Scene) -> None:
    """A record counts where its user lives, wherever it came to: nobody lives twice."""
    home = partition_of("nokey", PARTITIONS)
    asyncio.run(
        send(
            scene.settings,
            [
                Sent("events", None, event("nokey", "known").value, home),
                Sent(
                    "events", None, event("stray", "known").value, (partition_of("stray", PARTITIONS) + 1) % PARTITIONS
                ),
            ],
        )
    )
    asyncio.run(until(lambda: _has_row(scene.settings, "nokey")))
    asyncio.run(until(lambda: _has_row(scene.settings, "stray")))
    asyncio.run(until(lambda: value(scene.worker.series(), "streamrec_rerouted_total") == 1))
    assert value(scene.worker.series(), 'streamrec_dead_letters_total{reason="misrouted"') == 0
    for number, (rows, _) in enumerate(asyncio.run(logged(scene.settings))):
        assert {partition_of(key.decode(), PARTITIONS) for key in rows} <= {number}


async def _has_row(settings: Settings, user: str) -> bool:
    return user in await rows_by_user(settings)


def test_two_megabytes(scene: Scene) -> None:
    """A producer at its defaults refuses it; one that compresses gets it in, and it is set aside, cut."""
    huge = changed(ARTICLE, abstract="x" * 2_000_000)

    async def at_defaults() -> None:
        with pytest.raises(MessageSizeTooLargeError):
            await send(scene.settings, [Sent("articles", b"huge", huge)])

    async def compressed() -> None:
        producer = AIOKafkaProducer(
            bootstrap_servers=scene.settings.brokers, max_request_size=4_000_000, compression_type="gzip"
        )
        await producer.start()
        await producer.send_and_wait(scene.settings.topic("articles"), key=b"huge", value=huge)
        await producer.stop()
        await send(scene.settings, [article("after-huge")])

    def catalogued() -> float:
        return value(scene.worker.series(), 'streamrec_articles_total{status="published"}')

    assert len(gzip.compress(huge)) < 100_000
    before = catalogued()
    asyncio.run(at_defaults())
    asyncio.run(compressed())
    asyncio.run(until(lambda: catalogued() == before + 1))
    letters = asyncio.run(read(scene.settings, scene.settings.topic("articles.dlq"), 1))
    (letter,) = [r for r in letters if r.key == b"huge"]
    assert dict(letter.headers)["streamrec-value-bytes"] == str(len(huge)).encode()


def test_duplicates_and_another_order(scene: Scene) -> None:
    """The same click three times is one read; clicks out of order leave the same interest as in order."""
    settings, at_ms = scene.settings, now_ms()
    clicks = {name: at_ms - 60_000 * number for number, name in enumerate(("known", "last", "good17"))}
    repeated = [event("again", "known", at_ms=at_ms)] * 3
    forth = [event("forth", name, at_ms=moment) for name, moment in clicks.items()]
    back = [event("back", name, at_ms=moment) for name, moment in reversed(clicks.items())]
    asyncio.run(send(settings, [*repeated, *forth, *back, event("done", "known")]))

    async def there() -> bool:
        rows = await rows_by_user(settings)
        return all(user in rows and rows[user]["n_reads"] == count for user, count in expected.items())

    expected = {"again": 1, "forth": 3, "back": 3, "done": 1}
    asyncio.run(until(there))
    rows = asyncio.run(rows_by_user(settings))
    assert rows["forth"]["interest"] == pytest.approx(rows["back"]["interest"], abs=2e-3)
    assert set(rows["forth"]["seen"]) == set(rows["back"]["seen"])


def test_a_click_on_an_unknown_article(scene: Scene) -> None:
    """It waits in the row and counts when the article comes."""
    settings = scene.settings
    asyncio.run(send(settings, [event("early", "not-yet")]))
    asyncio.run(until(lambda: _has_row(settings, "early")))
    row = asyncio.run(rows_by_user(settings))["early"]
    assert key_of("not-yet") in row["waiting"]["article"]
    asyncio.run(send(settings, [article("not-yet")]))

    async def counted() -> bool:
        now = (await rows_by_user(settings))["early"]
        return not now["waiting"]["article"].any() and now["interest"].any()

    asyncio.run(until(counted))
    asyncio.run(until(lambda: value(scene.worker.series(), "streamrec_unknown_article_events_total") >= 1))


def test_withdrawn_and_published_again(scene: Scene) -> None:
    """A withdrawn article is pushed to nobody; published again it is, once, in its new version."""
    settings = scene.settings

    def statuses(status: str) -> float:
        return value(scene.worker.series(), f'streamrec_articles_total{{status="{status}"}}')

    def version(number: int, status: str) -> list[Sent]:
        changes = {"version": number, "status": status, "title": f"Turn{number} twist{number} tale{number}"}
        return [article("turn", story_id="turn", **changes)]

    async def pushed(user: str) -> dict[str, int]:
        records = await read(settings, settings.topic("push"), PARTITIONS)
        mine = [msgspec.json.decode(r.value, type=Push) for r in records]
        return {push.article_id: push.article_version for push in mine if push.user_id == user}

    async def play() -> None:
        await send(settings, version(1, "published") + version(2, "updated") + version(3, "withdrawn"))
        await until(lambda: statuses("withdrawn") >= 1)
        await until(lambda: all_articles_applied(settings))
        await send(settings, [event("turner", "known")])
        await until(lambda: _pushed_something(pushed, "turner"))
        assert "turn" not in await pushed("turner")
        await send(settings, version(4, "updated"))

        async def again() -> bool:
            return (await pushed("turner")).get("turn") == 4

        await until(again)
        await send(settings, version(2, "updated"))  # a stale one changes nothing
        await send(settings, [Sent("articles", b"turn", None)])
        await until(lambda: statuses("withdrawn") >= 2)

    asyncio.run(play())
    assert scene.worker.exit_code() is None


NO = {"user_id": "left", "action": "unsubscribe", "at_ms": now_ms()}
NOS: dict[str, bytes] = {
    "zone": json.dumps(NO | {"tz": "GMT+2"}).encode(),
    "old": json.dumps(NO | {"at_ms": now_ms() - 30 * 86_400_000}).encode(),
    "ahead": json.dumps(NO | {"at_ms": now_ms() + 600_000}).encode(),
    "no-time": json.dumps({"user_id": "left", "action": "unsubscribe"}).encode(),
    "null": json.dumps(NO | {"article_id": None, "push_id": 7}).encode(),
    "nan": json.dumps(NO | {"dwell_s": float("nan")}).encode(),
    "framed": b"\0\0\0\0\1" + json.dumps(NO).encode(),
    "large": json.dumps(NO | {"more": "x" * 400_000}).encode(),
}


def test_no_opt_out_is_lost(scene: Scene) -> None:
    """Whatever else is wrong with it: each of these readers has left."""
    names = {kind: f"left-{kind}" for kind in NOS}
    raw = [
        Sent("events", name.encode(), NOS[kind].replace(b'"left"', b'"%s"' % name.encode()))
        for kind, name in names.items()
    ]

    async def all_left() -> bool:
        rows = await rows_by_user(scene.settings)
        return all(name in rows and rows[name]["consent"] == CONSENT_OUT for name in names.values())

    asyncio.run(send(scene.settings, raw))
    asyncio.run(until(all_left))


def test_no_withdrawal_is_lost(scene: Scene) -> None:
    """In whatever frame its key is, and with nothing but an id."""

    def withdrawn() -> float:
        return value(scene.worker.series(), 'streamrec_articles_total{status="withdrawn"}')

    before = withdrawn()
    taken_back = [
        Sent("articles", b'"good1"', None),
        Sent("articles", b'{"article_id":"good1"}', b"null"),
        Sent("articles", b"good1", b'{"article_id":"good1","status":"Killed"}'),
        Sent("articles", b"\0\0\0\0\1good1", b""),
    ]
    unreadable = Sent("articles", b"\0\0\0\x11", None)
    asyncio.run(send(scene.settings, [*taken_back, unreadable]))
    asyncio.run(until(lambda: withdrawn() == before + len(taken_back)))
    letters = value(scene.worker.series(), 'streamrec_dead_letters_total{reason="unreadable_key",topic="articles"}')
    assert letters == 1


async def _pushed_something(pushed: Any, user: str) -> bool:
    return bool(await pushed(user))
