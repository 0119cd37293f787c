"""A search through a real broker and a real worker: the article that comes of it, and why."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from on_kafka import all_events_applied, article, event, now_ms, read, send, until

from streamrec.contracts.push import Push
from streamrec.kafka.topics import create
from streamrec.settings import Settings
from streamrec.terminal.push_sentence import because
from streamrec.tools.worker_process import worker_process

pytestmark = pytest.mark.kafka

OPEN = {"min_score": 0.0, "min_affinity": 0.0, "session_gap_s": 0.0, "quiet_from": "00:00", "quiet_to": "00:00"}


async def pushes_of(settings: Settings, article_id: str) -> dict[str, Push]:
    """By reader."""
    pushes = [msgspec.json.decode(record.value, type=Push) for record in await read(settings, settings.topic("push"))]
    return {push.user_id: push for push in pushes if push.article_id == article_id}


async def search_and_publish(settings: Settings) -> dict[str, Push]:
    """Ann has never read anything, Bob has not searched; the article comes when both are known."""
    await send(settings, [article("old", title="Quantum chip sets record", published_at_ms=now_ms())])
    await send(settings, [event("ann", "", "search", query="the volcano in ICELAND"), event("bob", "old")])
    await until(lambda: all_events_applied(settings))
    title = "Iceland counts the days: its volcano stirs"
    await send(settings, [article("new", title=title, published_at_ms=now_ms())])

    async def both_have_it() -> bool:
        return len(await pushes_of(settings, "new")) == 2

    await until(both_have_it)
    return await pushes_of(settings, "new")


def test_who_searched_is_told_so(settings_for_test: Settings, tmp_path: Path) -> None:
    """In words of the article; who did not search is given another reason, and the log keeps quiet about the query."""
    settings = settings_for_test.changed(min_interval_s=0.0, **OPEN)
    asyncio.run(create(settings))
    with worker_process(settings, tmp_path / "log") as worker:
        worker.wait_ready()
        pushed = asyncio.run(search_and_publish(settings))
    assert because(pushed["ann"].reason).startswith("you searched for Iceland volcano")
    assert pushed["bob"].reason.code != "searched"
    assert "volcano" not in (tmp_path / "log").read_text()
