"""Breaking news to everybody on a real broker: by the content agent and a worker to readers it does not interest."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from on_kafka import all_articles_applied, all_events_applied, article, event, read, send, until

from streamrec.kafka.topics import create
from streamrec.settings import Settings, environ_of_others, to_environ
from streamrec.tools.worker_process import WorkerProcess, value, worker_process

pytestmark = pytest.mark.kafka

FIVE = ("ann", "bo", "cy", "di", "eve")
OPEN = {"session_gap_s": 0.0, "min_interval_s": 0.0, "quiet_from": "00:00", "quiet_to": "00:00", "daily_cap": 8}
ABOUT = {"title": "Volcano erupts near Reykjavik", "category": "weather"}


async def pushed(settings: Settings) -> dict[str, list[str]]:
    """Who got each article, by id."""
    found: dict[str, list[str]] = {}
    for record in await read(settings, settings.topic("push")):
        push = json.loads(record.value)
        found.setdefault(push["article_id"], []).append(push["user_id"])
    return {article_id: sorted(users) for article_id, users in found.items()}


def shown(settings: Settings) -> dict[str, Any]:
    """What `streamrec audience` says of the article for everybody."""
    done = subprocess.run(
        [sys.executable, "-m", "streamrec", "audience", "all", "--once", "--json"],
        env={**environ_of_others(), **to_environ(settings)}, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)["progress"]
    return told


async def breaking(settings: Settings, worker: WorkerProcess) -> dict[str, Any]:
    """Five readers of football, and one who left; breaking news without an audience, with a bad one, and with some."""
    await send(settings, [article("old", title="Late goal decides the cup final", category="sports")])
    await until(lambda: all_articles_applied(settings))
    await send(settings, [event(name, "old", tz="Europe/Copenhagen") for name in FIVE])
    await send(settings, [event("gone", "old"), event("gone", "", "unsubscribe")])
    await until(lambda: all_events_applied(settings))

    async def article_is_met(article_id: str, **more: Any) -> None:
        await send(settings, [article(article_id, breaking=3, **(ABOUT | more))])
        await until(lambda: value(worker.series(), 'streamrec_articles_total{status="published"}') >= 1)
        await until(lambda: all_articles_applied(settings))

    await article_is_met("plain", story_id="s1")
    await send(settings, [article("bad", breaking=3, audience={"country": ["DK"]}, **ABOUT)])
    await article_is_met("abroad", story_id="s2", audience={"countries": ["SE", "Atlantis"]})
    await article_is_met("all", story_id="s3", audience={"everybody": True})
    await article_is_met("danes", story_id="s4", audience={"countries": ["DK"]})

    async def all_have_it() -> bool:
        found = await pushed(settings)
        return len(found.get("all", [])) >= 5 and len(found.get("danes", [])) >= 5

    await until(all_have_it)
    seen = await asyncio.to_thread(shown, settings)
    letters = await read(settings, settings.topic("articles.dlq"), 1)
    return {"pushed": await pushed(settings), "letters": len(letters), "shown": seen, "series": worker.series()}


def test_breaking_news_to_everybody(settings_for_test: Settings, tmp_path: Path) -> None:
    """Each known reader who may be pushed to gets it once; a segment gets its own; a bad audience goes to nobody."""
    settings = settings_for_test.changed(**OPEN)
    asyncio.run(create(settings))
    with worker_process(settings, tmp_path / "log") as worker:
        worker.wait_ready()
        seen = asyncio.run(breaking(settings, worker))
    assert seen["pushed"] == {"all": [*FIVE], "danes": [*FIVE]}
    assert seen["letters"] == 1
    told = seen["shown"]
    assert (told["state"], told["readers"], told["inside"], told["left"], told["pushed"]) == ("met", 6, 6, 0, 5)
    counted = Counter(seen["series"])
    assert counted['streamrec_suppressions_total{reason="outside_audience"}'] >= 5
    assert counted['streamrec_suppressions_total{reason="low_affinity"}'] >= 5
    assert counted['streamrec_dropped_fields_total{field="audience",topic="articles"}'] == 1
