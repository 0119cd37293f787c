"""Readers move into another vector space and back: every event counted once, nobody told the same news twice."""

import asyncio
import json
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest
from aiokafka import AIOKafkaProducer
from click.testing import CliRunner
from fragile_encoder import EARLY, FragileEncoder
from on_kafka import (
    Sent,
    all_events_applied,
    article,
    check_against_oracle,
    event,
    read,
    reads_by_user,
    rows_by_user,
    send,
)
from on_kafka import until as wait_until
from trained import publish_small

from streamrec.__main__ import cli
from streamrec.content.category_slots import SLOTS_KEY, CategorySlots
from streamrec.content.encoder import HashedEncoder
from streamrec.content.encoders import encoder_of
from streamrec.content.query import Queries
from streamrec.contracts.push import Push
from streamrec.contracts.records import DeadLetter, RawRecord
from streamrec.errors import SettingsError, StateError
from streamrec.kafka.log import KafkaLog
from streamrec.kafka.topics import changelog_topic, create
from streamrec.models.prior import Prior
from streamrec.operations.migration.articles import articles_in, catalog_records, encode_articles, same_slots, slots_of
from streamrec.operations.migration.plan import plan
from streamrec.operations.migration.profiles import LEARNED_FROM
from streamrec.operations.migration.reading import poison_of
from streamrec.operations.migration.run import migrate
from streamrec.partition.changelog_meta import FIRST_SPACE, space_record
from streamrec.partition.partition import Partition, PartitionContext
from streamrec.settings import Settings, load, to_environ
from streamrec.tools.worker_process import WorkerProcess, value, worker_process
from streamrec.worker.recovery.recovery import recover

pytestmark = pytest.mark.kafka

USERS, ARTICLES = 40, 8
SENTENCE = encoder_of("sentence").space_id


def command(settings: Settings, *arguments: str | Path) -> str:
    """What a command prints with these settings."""
    done = CliRunner().invoke(cli, [*map(str, arguments)], env=to_environ(settings))
    assert done.exit_code == 0, (done.output, done.exception)
    return str(done.stdout)


async def clicks(settings: Settings, *articles: int) -> None:
    """Everybody clicks these."""
    await send(settings, [event(f"u{user}", f"a{number}") for number in articles for user in range(USERS)])


async def applied(settings: Settings, worker: WorkerProcess, articles: int) -> None:
    """All events, and this many articles known."""
    await wait_until(lambda: value(worker.series(), "streamrec_catalog_articles") >= articles)
    await wait_until(lambda: all_events_applied(settings))


async def no_news_twice(settings: Settings) -> int:
    """Pushes so far; each article to each reader at most once, whichever deployment it was."""
    pushes = [msgspec.json.decode(r.value, type=Push) for r in await read(settings, settings.topic("push"))]
    twice = {pair: n for pair, n in Counter((push.user_id, push.article_id) for push in pushes).items() if n > 1}
    assert not twice
    return len(pushes)


def test_there_and_back(settings_for_test: Settings, tmp_path: Path) -> None:
    """A catch-up while the old workers serve, a cut-over, service in the new space, and the same way back."""
    old = settings_for_test.changed(min_score=0.0, min_affinity=0.0, min_interval_s=0.0)
    publish_small(tmp_path / "hashed", 1)
    publish_small(tmp_path / "sentence", 2, space_id=SENTENCE, encoder="sentence")
    asyncio.run(create(old))
    there = plan(old, tmp_path / "sentence")
    with worker_process(old, tmp_path / "old.log") as worker:
        worker.wait_ready()
        asyncio.run(send(old, [article(f"a{number}") for number in range(ARTICLES)]))
        asyncio.run(wait_until(lambda: value(worker.series(), "streamrec_catalog_articles") >= ARTICLES))
        asyncio.run(send(old, [Sent("events", b"x", b"garbage")]))  # was set aside, and is not once more
        asyncio.run(clicks(old, 0, 1, 2))
        asyncio.run(applied(old, worker, ARTICLES))
        caught_up = asyncio.run(migrate(there, cut_over=False))
        assert caught_up[:3] == (ARTICLES, USERS, 3 * USERS)
        with pytest.raises(SettingsError, match="streamrec model promote"):
            asyncio.run(migrate(plan(old, tmp_path / "hashed"), cut_over=False))
        with pytest.raises(SettingsError, match="stop them"):
            asyncio.run(migrate(there, cut_over=True))
        asyncio.run(clicks(old, 3))
        asyncio.run(applied(old, worker, ARTICLES))
        assert worker.stop() == 0
    asyncio.run(_while_nobody_runs(old))

    told = json.loads(command(old, "migrate", "--to-model", tmp_path / "sentence", "--cut-over", "--json"))
    assert (told["articles"], told["events"], told["without_interest"]) == (1, USERS, 0)
    new = load({**to_environ(old), **told["environ"]})
    asyncio.run(_same_but_for_interest(old, new))
    assert asyncio.run(check_against_oracle(new)) == USERS
    with pytest.raises(SettingsError, match=f"moved these profiles to {new.app_id}"):  # or both would push
        asyncio.run(recover(Partition(PartitionContext.of(old, 0, Prior())), KafkaLog(old), changelog_topic(old), 4))
    with worker_process(new, tmp_path / "new.log") as worker:
        worker.wait_ready()
        asyncio.run(clicks(new, 5))
        asyncio.run(applied(new, worker, ARTICLES + 1))
        assert worker.stop() == 0
    assert asyncio.run(reads_by_user(new)) == {f"u{user}": 6 for user in range(USERS)}
    pushed = asyncio.run(no_news_twice(new))
    _and_back(old, new, tmp_path)
    assert asyncio.run(no_news_twice(old)) >= pushed
    for settings in (old, new):  # cursors, caps and pushes of both hold together
        command(settings, "audit")


def test_a_release_that_encodes_in_another_way_is_migrated_to(settings_for_test: Settings, tmp_path: Path) -> None:
    """Profiles of an earlier release's hashed space are refused by a worker, and moved to the present one by name."""
    old = settings_for_test.changed(min_score=0.0, min_affinity=0.0)
    publish_small(tmp_path / "hashed", 1)
    asyncio.run(create(old))
    with worker_process(old, tmp_path / "old.log") as worker:
        worker.wait_ready()
        asyncio.run(send(old, [article("a0")]))
        asyncio.run(wait_until(lambda: value(worker.series(), "streamrec_catalog_articles") >= 1))
        asyncio.run(clicks(old, 0))
        asyncio.run(applied(old, worker, 1))
        assert worker.stop() == 0
    asyncio.run(_as_written_by_the_first_release(old))
    ours = PartitionContext.of(old, 0, Prior(), queries=Queries(HashedEncoder()))
    with pytest.raises(SettingsError, match="streamrec migrate"):
        asyncio.run(recover(Partition(ours), KafkaLog(old), changelog_topic(old), 4))
    moved = asyncio.run(migrate(plan(old, tmp_path / "hashed"), cut_over=True))
    assert (moved.users, moved.events, moved.without_interest) == (USERS, USERS, 0)


async def _as_written_by_the_first_release(settings: Settings) -> None:
    async with AIOKafkaProducer(bootstrap_servers=settings.brokers) as producer:
        for number in range(settings.partitions):
            key, record = space_record(FIRST_SPACE)
            await producer.send_and_wait(changelog_topic(settings), record, key, partition=number)


def _and_back(old: Settings, new: Settings, folder: Path) -> None:
    """The same move, from the deployment that is ahead to the old names; the other direction is refused."""
    with pytest.raises(SettingsError, match="moved to"):
        asyncio.run(migrate(plan(old, folder / "sentence", app_id="a-third"), cut_over=True))
    back = plan(new, folder / "hashed", app_id=old.app_id, catalog_topic="catalog")
    assert asyncio.run(migrate(back, cut_over=True)).events == 2 * USERS
    assert back.target.settings.topic("catalog") == old.topic("catalog")
    with worker_process(old, folder / "back.log") as worker:
        worker.wait_ready()
        asyncio.run(send(old, [article("z")]))
        asyncio.run(clicks(old, 6))
        asyncio.run(applied(old, worker, ARTICLES + 2))
        assert worker.stop() == 0
    assert asyncio.run(reads_by_user(old)) == {f"u{user}": 7 for user in range(USERS)}


async def _while_nobody_runs(settings: Settings) -> None:
    """What comes in between the two deployments waits for the second one."""
    await clicks(settings, 4)
    await send(settings, [article("meanwhile")])


async def _same_but_for_interest(old: Settings, new: Settings) -> None:
    was, now = await rows_by_user(old), await rows_by_user(new)
    assert was.keys() == now.keys()
    for user, row in now.items():
        assert row["interest"].any()
        assert not np.array_equal(row["interest"], was[user]["interest"])
        for name in set(row.dtype.names) - {"interest"}:
            assert np.array_equal(row[name], was[user][name]), (user, name)


async def test_articles_on_which_analysis_fails_end_no_move(settings_for_test: Settings, tmp_path: Path) -> None:
    """Those the source set aside are left out; one on which only the new encoder fails gets its dead letter, once."""
    publish_small(tmp_path / "sentence", 2, space_id=SENTENCE, encoder="sentence")
    there = plan(settings_for_test, tmp_path / "sentence")._replace(encoder=FragileEncoder())
    source, target = there.source.settings, there.target.settings
    await create(source)
    await create(target)
    await send(source, [article("known", title=EARLY), article("a1"), article("early", title=EARLY), article("a2")])
    known, _, early, _ = await read(source, source.topic("articles"), 1)
    letter = DeadLetter(source.topic("articles"), 0, known.offset, "processing_error", "", known.key, known.value)
    async with AIOKafkaProducer(bootstrap_servers=source.brokers) as producer:
        topic = source.topic("articles.dlq")
        await producer.send_and_wait(topic, known.value, known.key, headers=letter.headers(), partition=0)
    assert [await encode_articles(there), await encode_articles(there)] == [(2, 1), (0, 0)]
    letters = await read(source, source.topic("articles.dlq"), 1)
    assert [(found.key, found.value) for found in letters] == [(r.key, r.value) for r in (known, early)]
    assert dict(letters[1].headers)["streamrec-reason"] == b"processing_error"
    assert [item.article_id for item in articles_in(await catalog_records(there.target, 0))] == ["a1", "a2"]

    await send(source, [article("early", title=EARLY), article("a3")])
    strict = there._replace(target=there.target._replace(settings=target.changed(max_poison_per_hour=1)))
    with pytest.raises(StateError, match="STREAMREC_MAX_POISON_PER_HOUR"):  # an encoder that fails on everything
        await encode_articles(strict)


@pytest.mark.parametrize("table", [["sport", "inland"], []])
async def test_categories_keep_their_slots(settings_for_test: Settings, tmp_path: Path, table: list[str]) -> None:
    """Those of the source; where it has no table, by an earlier release, they are handed out anew, which is known."""
    publish_small(tmp_path / "sentence", 2, space_id=SENTENCE, encoder="sentence")
    there = plan(settings_for_test, tmp_path / "sentence")._replace(encoder=FragileEncoder())
    await create(there.source.settings)
    await create(there.target.settings)
    if table:
        async with AIOKafkaProducer(bootstrap_servers=settings_for_test.brokers) as producer:
            headers = CategorySlots(table).headers()
            await producer.send_and_wait(settings_for_test.topic("catalog"), b"", SLOTS_KEY, 0, headers=headers)
    await send(settings_for_test, [article(name, category=name) for name in ("inland", "meinung", "sport")])
    for _ in range(2):  # a move can be repeated
        await encode_articles(there)
        assert await same_slots(there) == bool(table)
        names = slots_of(await catalog_records(there.target, 3)).names
        assert names == (["sport", "inland", "meinung"] if table else ["inland", "meinung", "sport"])
    slots = {found.category: found.category_slot for found in articles_in(await catalog_records(there.target, 3))}
    assert slots == {name: slot for slot, name in enumerate(names)}


async def test_records_on_which_processing_failed_are_left_out(settings_for_test: Settings) -> None:
    """They would fail here as well: those the source set aside are known by place, key and value."""
    settings, events = settings_for_test, settings_for_test.topic("events")
    await create(settings)
    letters = [
        DeadLetter(events, 2, 5, "processing_error", "", b"k", b"v"),
        DeadLetter(events, 2, 6, "invalid", "user_id", b"k", b"v"),
        DeadLetter(settings.topic("rerouted"), 1, 0, "processing_error", "", b"k", b"v"),
    ]
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers)
    await producer.start()
    try:
        for letter in letters:
            topic, headers = f"{letter.topic}.dlq", letter.headers()
            await producer.send_and_wait(topic, letter.value, letter.key, headers=headers, partition=0)
    finally:
        await producer.stop()
    found = await poison_of(settings, LEARNED_FROM)
    assert found.keys() == {(events, 2), (settings.topic("rerouted"), 1)}
    records = [RawRecord(offset, 0, b"k", b"v") for offset in range(10)]
    assert found[events, 2].named(records) == {5}
    assert found[settings.topic("rerouted"), 1].named(records) == {0}
    assert found[events, 2].named([RawRecord(5, 0, b"k", b"of a topic that was made anew")]) == set()
