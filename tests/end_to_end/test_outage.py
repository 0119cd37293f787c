"""Readers leave while no worker is there: first what they said is read, then somebody is pushed to."""

import asyncio
from pathlib import Path

import pytest
from on_kafka import all_articles_applied, all_events_applied, article, event, read, send, until

from streamrec.clock import now_ms
from streamrec.kafka.topics import create
from streamrec.operations.audit.checks import check
from streamrec.operations.audit.reader import read as read_facts
from streamrec.settings import Settings
from streamrec.tools.worker_process import WorkerProcess

pytestmark = pytest.mark.kafka

LEFT, STAYED, GAP_S = 2000, 300, 4.0
HASTY = (str(Path(__file__).parent / "hasty_worker.py"),)


async def an_outage(settings: Settings, first: WorkerProcess) -> None:
    """All read one of two articles and will be due for the other; the worker stops before, and most of them leave."""
    await create(settings)
    first.ensure()
    await asyncio.to_thread(first.wait_ready)
    await send(settings, [article("a1"), article("a2")])
    await until(lambda: all_articles_applied(settings))
    await send(settings, (event(f"u{number}", "a1") for number in range(LEFT + STAYED)))
    await until(lambda: all_events_applied(settings))
    assert await asyncio.to_thread(first.stop) == 0
    await send(settings, (event(f"u{number}", "", "unsubscribe") for number in range(LEFT)))
    await asyncio.sleep(GAP_S + 1)


async def until_pushed(settings: Settings) -> None:
    """Until those who stayed have their push, and all is applied."""

    async def have_come() -> bool:
        users = {record.key for record in await read(settings, settings.topic("push"), settings.partitions)}
        return users >= {b"u%d" % number for number in range(LEFT, LEFT + STAYED)}

    await until(have_come)
    await until(lambda: all_events_applied(settings))


@pytest.mark.parametrize("script", [None, HASTY], ids=["as it is", "without the rule"])
def test_who_left_in_an_outage_gets_nothing(
    settings_for_test: Settings, tmp_path: Path, script: tuple[str, ...] | None
) -> None:
    """2,000 acknowledged opt-outs, and the article they were due for: no push. The audit finds a worker that pushes."""
    settings = settings_for_test.changed(
        min_score=0.0, min_affinity=0.0, session_gap_s=GAP_S, quiet_from="00:00", quiet_to="00:00"
    )
    first = WorkerProcess(settings, tmp_path / "first.log")
    second = WorkerProcess(settings, tmp_path / "second.log", *([script] if script else []))
    try:
        asyncio.run(an_outage(settings, first))
        second.ensure()
        second.wait_ready()
        asyncio.run(until_pushed(settings))
    finally:
        first.stop()
        second.stop()
    pushed = {record.key for record in asyncio.run(read(settings, settings.topic("push"), settings.partitions))}
    wrongly = len(pushed & {b"u%d" % number for number in range(LEFT)})
    found = {
        finding.rule: finding.violations for finding in check(asyncio.run(read_facts(settings)), settings, now_ms(), 0)
    }
    if script is None:
        assert wrongly == 0
        assert not any(found.values())
    else:
        assert wrongly > 100
        assert found["opt_out"] == wrongly
