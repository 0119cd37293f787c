"""A history of a month comes in through a real worker: it teaches, and nothing is pushed because of it."""

import asyncio
import json
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from click.testing import CliRunner
from on_kafka import all_events_applied, article, now_ms, read, rows_by_user, send, until

from streamrec.cli.produce import produce
from streamrec.engine.profiles.layout import SEEN
from streamrec.errors import DataError
from streamrec.kafka.topics import create
from streamrec.operations.history_import import readable_ends
from streamrec.settings import Settings
from streamrec.tools.worker_process import worker_process

pytestmark = pytest.mark.kafka

DAY_MS = 86_400_000
ARTICLES = SEEN + 6
STARTS = (8, 0) * 5  # half of the readers have two articles fewer than a row remembers by key
WORDS = ("chip", "laser", "orbit", "gene", "quark")


def history(folder: Path) -> None:
    """Ten readers, each with an article a day, five of them since a week later; one opted out three weeks ago."""
    start_ms = now_ms() - 30 * DAY_MS
    articles = [
        {"article_id": f"h{n}", "title": f"{WORDS[n % 5]} {n}x {n}y", "category": "science",
         "published_at_ms": start_ms + n * DAY_MS}
        for n in range(ARTICLES)
    ]  # fmt: skip
    events = [
        {"user_id": f"u{user}", "article_id": f"h{n}", "action": "click", "at_ms": start_ms + n * DAY_MS + 60_000}
        for n in range(ARTICLES)
        for user in range(10)
        if n >= STARTS[user]
    ]
    events += [
        {**event, "action": action, "dwell_s": 30}
        for event, action in zip(events[-15:], ("dwell", "share", "save", "dismiss", "dislike") * 3, strict=True)
    ]
    events.append({"user_id": "u9", "action": "unsubscribe", "at_ms": start_ms + 9 * DAY_MS})
    for name, rows in (("articles", articles), ("events", events)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))


async def test_a_month_of_history_teaches_and_pushes_nothing(
    settings_for_test: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each read is in the profile, and no push comes of it. Given twice, the command is no more than given once for
    readers whose rows remember all their articles; for others reads count again, and still nothing is pushed.
    """
    settings = settings_for_test
    for name in ("brokers", "topic_prefix", "app_id", "partitions"):
        monkeypatch.setenv(f"STREAMREC_{name.upper()}", str(getattr(settings, name)))
    history(tmp_path)
    await create(settings)
    with worker_process(settings, tmp_path / "worker.log") as worker:
        await asyncio.to_thread(worker.wait_ready)
        done = await asyncio.to_thread(CliRunner().invoke, produce, ["--history", str(tmp_path)])
        events = ARTICLES * 10 - sum(STARTS) + 16
        assert (done.exit_code, done.stdout) == (0, f"{ARTICLES} articles and {events} events sent\n"), done.output
        await until(lambda: all_events_applied(settings))
        rows = await rows_by_user(settings)
        assert {user: int(row["n_reads"]) for user, row in rows.items()} == {
            f"u{n}": ARTICLES - start for n, start in enumerate(STARTS)
        }
        assert all(abs(row["interest"].astype(float)).sum() > 0 for row in rows.values())
        assert [user for user, row in rows.items() if row["consent"] != rows["u0"]["consent"]] == ["u9"]
        again = await asyncio.to_thread(CliRunner().invoke, produce, ["--history", str(tmp_path)])
        assert again.exit_code == 0, again.output
        await until(lambda: all_events_applied(settings))
        later = await rows_by_user(settings)
        for user, row in rows.items():
            same = row.tobytes() == later[user].tobytes()
            assert same == (row["n_reads"] <= SEEN), (
                user,
                [n for n in row.dtype.names if row[n].tobytes() != later[user][n].tobytes()],
            )
            assert later[user]["consent"] == row["consent"]
        await asyncio.sleep(3)  # looks for users who are due
        assert await read(settings, settings.topic("push")) == []


def test_files_that_are_something_else_send_nothing(tmp_path: Path) -> None:
    """Refused before anything is sent, with the reason."""
    history(tmp_path)
    (tmp_path / "events.jsonl").write_text('{"user_id": "u"}\n')
    refused = CliRunner().invoke(produce, ["--history", str(tmp_path)])
    assert isinstance(refused.exception, DataError)
    assert "1 of 1 rows not read" in refused.stderr
    assert CliRunner().invoke(produce, []).exit_code == 2


async def test_the_last_article_is_waited_for_and_no_marker_is(settings_for_test: Settings) -> None:
    """A producer's articles end in a record, those of a transaction in its marker, and perhaps in those of others."""
    settings = settings_for_test
    await create(settings)
    await send(settings, [article(f"a{n}") for n in range(3)])
    tps = [TopicPartition(settings.topic(topic), 0) for topic in ("articles", "catalog")]
    async with AIOKafkaProducer(bootstrap_servers=settings.brokers, transactional_id=settings.app_id) as agent:
        for end in (agent.commit_transaction, agent.abort_transaction, agent.abort_transaction):
            await agent.begin_transaction()
            await agent.send_and_wait(tps[1].topic, b"{}", key=b"a", partition=0)
            await end()
    async with AIOKafkaConsumer(
        bootstrap_servers=settings.brokers, group_id=settings.group_id, enable_auto_commit=False
    ) as group:
        group.assign(tps)
        assert await readable_ends(settings, group, tps) == {tps[0]: 3, tps[1]: 1}
        await group.commit({tps[0]: 2})
        assert await readable_ends(settings, group, tps) == {tps[0]: 3, tps[1]: 1}
