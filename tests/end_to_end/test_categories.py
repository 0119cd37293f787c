"""A German newsroom on a real broker: each section its own slot, over restarts, and the reasons readers are given."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from making import HOUR
from on_kafka import all_articles_applied, all_events_applied, article, event, now_ms, read, send, until

from streamrec.content.category_slots import slots_in
from streamrec.contracts.article import AnalysedArticle
from streamrec.contracts.push import Push
from streamrec.kafka.topics import create
from streamrec.settings import Settings
from streamrec.tools.worker_process import WorkerProcess, value, worker_process

pytestmark = pytest.mark.kafka

GERMAN = (
    "politik", "wirtschaft", "kultur", "sport", "meinung", "inland", "ausland", "panorama", "wissen", "reise",
    "digital", "gesundheit", "auto", "karriere", "lokales", "feuilleton", "medien", "wetter", "geld", "leben",
)  # fmt: skip


async def publish(
    settings: Settings, worker: WorkerProcess, names: tuple[str, ...], issue: int, at_ms: int, known: int
) -> None:
    """One article of each section; all partitions have met them."""
    await send(settings, [article(f"{name}-{issue}", category=name, published_at_ms=at_ms) for name in names])
    await until(lambda: value(worker.series(), "streamrec_catalog_articles") >= known)
    await until(lambda: all_articles_applied(settings))


async def pushed(settings: Settings) -> dict[tuple[str, str], Push]:
    """By reader and article."""
    pushes = [msgspec.json.decode(record.value, type=Push) for record in await read(settings, settings.topic("push"))]
    return {(push.user_id, push.article_id): push for push in pushes}


def test_sections_of_a_newsroom(settings_for_test: Settings, tmp_path: Path) -> None:
    """A reader of culture is told of culture, and one who dislikes an opinion piece goes on with home news."""
    settings = settings_for_test.changed(min_score=0.0, min_affinity=0.0, min_interval_s=0.0, daily_cap=8)
    asyncio.run(create(settings))

    async def before(worker: WorkerProcess) -> None:
        yesterday_ms = now_ms() - 25 * HOUR  # too old to be pushed
        await publish(settings, worker, GERMAN, 1, yesterday_ms, len(GERMAN))
        await send(settings, [event("ann", "kultur-1"), event("bob", "inland-1")])
        await send(settings, [event("bob", "meinung-1", "dislike")])
        await until(lambda: all_events_applied(settings))

    async def after(worker: WorkerProcess) -> None:
        names = ("verkehr", "kultur", "politik", "inland", "meinung")
        await publish(settings, worker, names, 2, now_ms(), len(GERMAN) + len(names))
        await until(lambda: _have_come(settings))
        found = await pushed(settings)
        assert found["ann", "kultur-2"].reason.args == {"category": "kultur", "count": 1}
        assert ("bob", "meinung-2") not in found
        wrong = [
            push.article_id
            for (user, _), push in found.items()
            if push.reason.code == "recent_reads" and push.category != {"ann": "kultur", "bob": "inland"}[user]
        ]
        assert not wrong

    for name, scene in (("first", before), ("second", after)):
        with worker_process(settings, tmp_path / name) as worker:
            worker.wait_ready()
            asyncio.run(scene(worker))
            assert worker.stop() == 0
    asyncio.run(_check_slots(settings))


async def _have_come(settings: Settings) -> bool:
    return (await pushed(settings)).keys() >= {("ann", "kultur-2"), ("bob", "inland-2")}


async def _check_slots(settings: Settings) -> None:
    expected = [*GERMAN, "verkehr"]
    catalog = await read(settings, settings.topic("catalog"))
    for number in range(settings.partitions):
        mine = [record for record in catalog if record.partition == number]
        articles = [msgspec.json.decode(record.value, type=AnalysedArticle) for record in mine if record.value]
        assert {one.category: one.category_slot for one in articles} == {name: n for n, name in enumerate(expected)}
        tables = [table.names for record in mine if (table := slots_in(record)) is not None]
        assert tables[-1] == expected
    assert not await read(settings, settings.topic("catalog.dlq"))
