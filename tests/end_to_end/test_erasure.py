"""A reader is erased while a worker runs: what is printed is true, and no backlog or crash brings them back."""

import asyncio
from pathlib import Path

import pytest
from on_kafka import Sent, article, event, read, rows_by_user, send, until

from streamrec.clock import now_ms
from streamrec.contracts.partitioner import partition_of
from streamrec.kafka.topics import changelog_topic, create
from streamrec.operations.audit.checks import check
from streamrec.operations.audit.reader import read as audited
from streamrec.operations.erasing import erase, proof
from streamrec.settings import Settings
from streamrec.tools.worker_process import worker_process

pytestmark = pytest.mark.kafka


def wish(settings: Settings, user: str, value: bytes) -> Sent:
    """A preference, as a producer writes it."""
    return Sent("preferences", user.encode(), value, partition_of(user, settings.partitions))


async def test_an_erased_reader_does_not_come_back(settings_for_test: Settings, tmp_path: Path) -> None:
    """Old events after it, and another worker, change nothing; a new event is that of a stranger."""
    settings = settings_for_test.changed(min_interval_s=0.0, session_gap_s=0.0)
    await create(settings)
    old = [event("ann", "a1"), event("bob", "a1")]
    with worker_process(settings, tmp_path / "first.log") as worker:
        await asyncio.to_thread(worker.wait_ready)
        await send(settings, [article("a1"), *old, wish(settings, "ann", b'{"daily_cap": 2}')])
        await until(lambda: _known(settings, {"ann", "bob"}))
        await until(lambda: _has_said(settings, "ann"))
        done = await erase(settings, "ann", 30.0)
        assert (done.receipt.row, done.receipt.preferences) == (True, True)
        assert settings.topic("events") in {each.topic for each in done.stays}
        await send(
            settings, [old[0], wish(settings, "ann", b'{"at_ms": %d, "daily_cap": 1}' % (done.receipt.at_ms - 5))]
        )
        worker.kill()
    with worker_process(settings, tmp_path / "second.log") as worker:
        await asyncio.to_thread(worker.wait_ready)
        await send(settings, [old[0], event("cat", "a1")])
        await until(lambda: _known(settings, {"cat"}))
        assert set(await rows_by_user(settings)) == {"bob", "cat"}
        assert await proof(settings) == (1, [])
        await send(settings, [event("ann", "a1")])
        await until(lambda: _known(settings, {"ann"}))
        assert not (await rows_by_user(settings))["ann"]["n_pushes"]
    facts = await audited(settings)
    assert not [finding for finding in check(facts, settings, now_ms()) if finding.violations]


async def _known(settings: Settings, users: set[str]) -> bool:
    return users <= set(await rows_by_user(settings))


async def _has_said(settings: Settings, user: str) -> bool:
    return any(record.key == b"\xfe" + user.encode() for record in await read(settings, changelog_topic(settings)))
