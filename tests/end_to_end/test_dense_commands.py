"""Commands by the thousand: all of them are applied, in their order, and together."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from on_kafka import Sent, article, event, read, rows_by_user, send, until

from streamrec.clock import now_ms
from streamrec.contracts.push import Push
from streamrec.kafka.topics import changelog_topic, create
from streamrec.operations.audit.checks import check
from streamrec.operations.audit.reader import read as audited
from streamrec.partition.changelog_meta import CONTROL_PREFIX, CURSOR_KEY
from streamrec.settings import Settings
from streamrec.tools.worker_process import worker_process

pytestmark = pytest.mark.kafka
MANY, ARTICLES = 2000, 40
READERS = ["ann", "bob", "cat"]


async def commanded(settings: Settings, *commands: dict[str, Any]) -> None:
    """Give commands in every partition, one after the other, each a millisecond later by its own time."""
    begins_ms = now_ms() - len(commands)
    said = [
        msgspec.json.encode({"who": "ann", "why": "dense", "at_ms": begins_ms + at, "command_id": str(at)} | command)
        for at, command in enumerate(commands)
    ]
    await send(
        settings, (Sent("control", None, each, number) for each in said for number in range(settings.partitions))
    )


async def sent(settings: Settings) -> list[tuple[str, str, str]]:
    """Kind, reader and article of all that left, sorted."""
    pushes = [msgspec.json.decode(each.value, type=Push) for each in await read(settings, settings.topic("push"))]
    return sorted((push.kind, push.user_id, push.article_id) for push in pushes)


async def test_the_last_of_thousands_of_commands_counts(settings_for_test: Settings, tmp_path: Path) -> None:
    """Articles are held and released many times over, one is retracted, and all is stopped: nothing of it is lost."""
    settings = settings_for_test.changed(min_interval_s=0.0, min_score=0.0, min_affinity=0.0)
    await create(settings)
    with worker_process(settings, tmp_path / "worker.log") as worker:
        await asyncio.to_thread(worker.wait_ready)
        await send(settings, [article("a0"), *(event(user, "a0") for user in READERS)])
        await until(lambda: _known(settings))
        await send(settings, [article("told")])
        told = [("push", user, "told") for user in READERS]
        await until(lambda: _have_left(settings, told))
        dense = [
            {"action": ("hold", "release")[at // ARTICLES % 2], "article_id": f"b{at % ARTICLES}"} for at in range(MANY)
        ]
        await commanded(settings, *dense, {"action": "retract", "article_id": "told"}, {"action": "stop"})
        back = [("retract", user, "told") for user in READERS]
        await until(lambda: _have_left(settings, sorted(told + back)))
        await send(settings, [article("b0")])  # released last
        await commanded(settings, {"action": "hold", "article_id": "b1"}, {"action": "resume"})
        await until(lambda: _have_left(settings, sorted(told + back + [("push", user, "b0") for user in READERS])))
    log = await read(settings, changelog_topic(settings))
    for number in range(settings.partitions):
        mine = [record for record in log if record.partition == number]
        last = {record.key: msgspec.json.decode(record.value) for record in mine if b"said/article/b" in record.key}
        count = {key.rsplit(b"/", 1)[1].decode(): said["on"] for key, said in last.items()}
        assert count == {f"b{at}": at == 1 for at in range(ARTICLES)}
        cursors = [record for record in mine if record.key == CURSOR_KEY]
        assert len(cursors) < MANY / 10
        assert any(record.key.startswith(CONTROL_PREFIX) for record in mine)
    facts = await audited(settings)
    assert not [finding for finding in check(facts, settings, now_ms(), 0) if finding.violations]


async def _known(settings: Settings) -> bool:
    return {*READERS} <= {*await rows_by_user(settings)}


async def _have_left(settings: Settings, expected: list[tuple[str, str, str]]) -> bool:
    return await sent(settings) == expected
