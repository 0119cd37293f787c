"""Every way to reach a secured cluster works end to end, and leaves no secret behind."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from on_kafka import article, event, now_ms, read, send, until
from secured_commands import streamrec, told
from secured_kafka import SecuredKafka

from streamrec.kafka.topics import check, create, specs
from streamrec.operations.audit.checks import check as audit
from streamrec.operations.audit.reader import read as read_facts
from streamrec.tools.worker_process import WorkerProcess, worker_process

pytestmark = pytest.mark.kafka
CLOSE_S = 30.0  # a connection that is not closed by the peer is given up so late
MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")
SASL = [f"{protocol} {mechanism}" for protocol in ("SASL_PLAINTEXT", "SASL_SSL") for mechanism in MECHANISMS]
EAGER = {"min_score": 0.0, "min_affinity": 0.0, "log_level": "DEBUG"}


def of_process(worker: WorkerProcess) -> str:
    """What everybody on the machine, or its user, sees of a process."""
    folder = Path(f"/proc/{worker.pid}")
    return told((folder / "cmdline").read_bytes(), (folder / "environ").read_bytes())


@pytest.mark.parametrize("way", ["SSL", "MUTUAL", *SASL])
async def test_all_of_it_works(way: str, secured: SecuredKafka, names: dict[str, str], log: Path) -> None:
    """Topics are made and checked, records are sent, a worker reads them and pushes, and the audit holds."""
    settings = secured.settings(way, **names, **EAGER)
    assert len(await create(settings)) == len(specs(settings))
    assert await check(settings) == []
    with worker_process(settings, log) as worker:
        await asyncio.to_thread(worker.wait_ready)
        assert "STREAMREC_SECURITY_PROTOCOL" in of_process(worker)
        await send(settings, [article("a1"), event("u1", "a1"), article("a2")])

        async def is_pushed() -> bool:
            return bool(await read(settings, settings.topic("push")))

        await until(is_pushed)
        assert worker.restarts == 0
    findings = audit(await read_facts(settings), settings, now_ms())
    assert sum(finding.checked for finding in findings)
    assert not any(finding.violations for finding in findings)
    said = told(await asyncio.to_thread(log.read_bytes))
    assert all(float(seconds) < CLOSE_S for seconds in re.findall(r"partitions recovered in ([0-9.]+) s", said))


async def test_commands_work(secured: SecuredKafka, names: dict[str, str], log: Path) -> None:
    """The same by hand, with a client certificate; with a password: test_acls.py, for each role."""
    settings = secured.settings("MUTUAL", **names, **EAGER)

    async def run(*arguments: str, given: bytes = b"") -> str:
        done = await asyncio.to_thread(streamrec, settings, *arguments, given=given)
        assert done.returncode == 0, done.stderr
        told(done.stderr)
        return told(done.stdout)

    assert "made" in await run("topics", "create")
    assert "all topics are as they should be" in await run("topics", "check")
    with worker_process(settings, log) as worker:
        await asyncio.to_thread(worker.wait_ready)
        for sent in (article("a1"), event("u1", "a1"), article("a2")):
            await run("produce", sent.topic, given=sent.value or b"")
        pushed = await run("watch", "--from-beginning", "--limit", "1", "--json")
    assert json.loads(pushed)["user_id"] == "u1"
    await run("audit")
    await run("dlq", "list")
    assert "STREAMREC_SECURITY_PROTOCOL" in await run("settings")
