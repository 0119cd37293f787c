"""The ACLs that `streamrec topics acl` prints are enough for each role, and none is given that is not used."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path

import pytest
from click.testing import CliRunner
from on_kafka import Sent, article, event, now_ms, read, send, until
from secured_commands import streamrec, told
from secured_kafka import DENY, Consulted, SecuredKafka, acls_in

from streamrec.__main__ import cli
from streamrec.cli.topics import ROLES
from streamrec.contracts.inputs import is_redriven
from streamrec.contracts.partitioner import partition_of
from streamrec.contracts.records import TOPICS
from streamrec.datasets.topics import read_topics
from streamrec.errors import KafkaError
from streamrec.kafka import permissions
from streamrec.kafka.clients import consumer
from streamrec.kafka.permissions import Need
from streamrec.kafka.topics import create
from streamrec.settings import Settings, to_environ
from streamrec.tools.worker_process import worker_process

pytestmark = pytest.mark.kafka
NONE_LEFT_OUT = {"min_score": 0.0, "min_affinity": 0.0}


def acls(settings: Settings, *arguments: str) -> str:
    """What the command prints."""
    done = CliRunner().invoke(cli, ["topics", "acl", *arguments], env=to_environ(settings))
    assert done.exit_code == 0, done.output
    return str(done.output)


async def allowed(kafka: SecuredKafka, settings: Settings, role: str, printed: str) -> None:
    """Add these ACLs, and wait until the broker goes by them."""
    await kafka.allow(printed)

    async def is_allowed() -> bool:
        try:
            await permissions.permitted(settings, role)
        except KafkaError:
            return False
        return True

    await until(is_allowed, 20)


def test_the_command_knows_every_role() -> None:
    """Its list is written out, since --help imports no Kafka client."""
    assert set(permissions.ROLES) == set(ROLES)


@pytest.mark.parametrize("prefixed", [(), ("--prefixed",)])
async def test_each_role_gets_along_with_its_acls(
    prefixed: tuple[str, ...], secured: SecuredKafka, names: dict[str, str], tmp_path: Path
) -> None:
    """Exactly those that are printed, literal or under the prefix, with the authorizer on."""
    of = {role: secured.settings_of(role, **names, **NONE_LEFT_OUT) for role in ROLES}

    async def run(role: str, *arguments: str, given: bytes = b"") -> str:
        done = await asyncio.to_thread(streamrec, of[role], *arguments, given=given)
        assert done.returncode == 0, done.stderr
        return told(done.stdout, done.stderr)

    for role, settings in of.items():
        await allowed(secured, settings, role, acls(settings, role, *prefixed))
    before = len(secured.consulted())
    assert "made" in await run("admin", "topics", "create")
    assert "as they should be" in await run("admin", "topics", "check")
    past = {"user_id": "u0", "article_id": "h1", "action": "click", "at_ms": now_ms() - 10**8}
    await asyncio.to_thread((tmp_path / "events.jsonl").write_text, json.dumps(past))
    await asyncio.to_thread((tmp_path / "articles.jsonl").write_bytes, article("h1").value or b"")
    with worker_process(of["worker"], tmp_path / "worker.log") as worker:
        await asyncio.to_thread(worker.wait_ready)
        await run("importer", "produce", "--history", str(tmp_path))
        for sent in (article("a1"), event("u1", "a1"), article("a2")):
            await run("producer", "produce", sent.topic, given=sent.value or b"")
        for topic in ("articles", "events"):
            await run("producer", "produce", topic, "--raw", given=b"{")
        await run("producer", "produce", "preferences", given=b'{"user_id": "u1", "daily_cap": 3}')
        admin = secured.settings("SSL", **names)
        stray = event("u2", "a1", "impression")._replace(partition=1 - partition_of("u2", 2))
        await send(admin, [*(Sent(name, b"x", b"{", 0) for name in TOPICS if name != "events"), stray])
        written = [*(f"{topic}.dlq" for topic in ("articles", *TOPICS)), "rerouted", "push"]

        async def is_done() -> bool:
            parts = [1 if name == "articles.dlq" else None for name in written]
            found = [await read(admin, admin.topic(name), part) for name, part in zip(written, parts, strict=True)]
            return all(found) and len(found[-2]) == 2

        await until(is_done)
        assert "push u" in await run("gateway", "watch", "--from-beginning", "--limit", "1")
        await gateway(of["gateway"])
        await run("auditor", "audit")
        pushed = json.loads((await read(admin, admin.topic("push")))[0].value)
        assert "P(click)" in await run("follower", "explain", pushed["user_id"])
        assert pushed["title"] in await run("follower", "explain", "--push", pushed["push_id"])
        assert "events" in await run("operator", "dlq", "list")
        redriven = [name for name in ("articles", *TOPICS) if is_redriven(name)]
        await run("operator", "dlq", "redrive", *(f"--topic={name}" for name in redriven), "--yes")
        await run("operator", "erase", "u1")
        assert "is approved" in await run("operator", "control", "approve", "a2", "--why", "a test")
        assert "is held" in await run("operator", "control", "hold", "a9", "--why", "a test")
        await read_topics(of["trainer"], 0, now_ms() + 10**10)  # all that `train topics` asks of a cluster
    answers = secured.consulted(before)
    denied = {(answer.principal, answer.resource) for answer in answers if answer.answer == "Denied"}
    assert denied <= {("User:admin", "Group"), ("User:admin", "TransactionalId")}  # whose coordinators it may wait for
    of.pop("desk", None)  # a server, which no command here starts
    for role, settings in of.items():
        given = {need for _, need in acls_in(acls(settings, role))}
        found, printed = used(answers, role, given), {plain(*need[:3]) for need in given}
        poison = {plain("Read", "topic", settings.topic(f"{name}.dlq")) for name in ("articles", *TOPICS)}
        assert found <= printed, role
        rare = {"worker": poison, "operator": {plain("Read", "topic", settings.topic("articles"))}}
        assert printed - found <= rare.get(
            role, set()
        )  # counted where processing fails; of letters that name an article


async def gateway(settings: Settings) -> None:
    """Reads one push in its group, as yours do."""
    reading = consumer(settings, settings.topic("push"), group_id="gateways", auto_offset_reset="earliest")
    async with reading:
        await reading.getone()
        await reading.commit()


def plain(operation: str, resource: str, name: str) -> str:
    """An ACL in words that the printed one and the broker's log have in common."""
    return f"{operation} {resource} ".translate({ord("_"): None, ord("-"): None}).lower() + name


def used(answers: Iterable[Consulted], role: str, given: Iterable[Need]) -> set[str]:
    """Which ACLs the role's requests were granted by; Describe where neither Read nor Write brought it."""
    prefixes = [need.name for need in given if need.is_prefix]  # of transactional ids
    mine = {"TransactionalId": prefixes}
    asked = {
        (operation, resource, next((prefix for prefix in mine.get(resource, []) if name.startswith(prefix)), name))
        for principal, answer, operation, resource, name in answers
        if principal == f"User:{role}" and answer == "Allowed"
    }
    brought = {(resource, name) for operation, resource, name in asked if operation in {"READ", "WRITE"}}
    return {plain(*one) for one in asked if one[0] != "DESCRIBE" or one[1:] not in brought}


MISSING = {
    "Read on group": "--group",
    "Write on transactional-id": "--transactional-id",
    "Read on topic {prefix}events": "--topic '{prefix}events'",
}


@pytest.mark.parametrize("said", MISSING)
async def test_a_worker_names_the_acl_it_lacks(said: str, secured: SecuredKafka, names: dict[str, str]) -> None:
    """It ends instead of standing there unready, or of taking a topic for missing."""
    settings = secured.settings_of("worker", **names)
    await create(secured.settings("SSL", **names))
    without = MISSING[said].format(prefix=settings.topic_prefix)
    lines = [line for line in acls(settings, "worker").splitlines() if without not in line]
    await secured.allow("\n".join(lines))
    wanted = said.format(prefix=settings.topic_prefix)

    async def is_named() -> bool:
        done = await asyncio.to_thread(streamrec, settings, "worker")
        last = told(done.stderr).splitlines()[-1]
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
        return last.startswith("KafkaError: user 'worker' lacks ") and wanted in last and " 30 " not in last

    await until(is_named, 30)


@pytest.mark.parametrize("taken", ["Read on group", "Write on topic {prefix}push"])
async def test_a_worker_ends_that_may_do_less(
    taken: str, secured: SecuredKafka, names: dict[str, str], tmp_path: Path
) -> None:
    """Whatever its clients make of it: they may raise, or try for ever."""
    settings = secured.settings_of("worker", **names, **NONE_LEFT_OUT)
    admin = secured.settings("SSL", **names)
    await create(admin)
    await allowed(secured, settings, "worker", acls(settings, "worker"))
    operation, _, resource, name = f"{taken} {settings.group_id}".format(prefix=settings.topic_prefix).split()[:4]
    with worker_process(settings, tmp_path / "worker.log") as worker:
        await asyncio.to_thread(worker.wait_ready)
        deny = f"--allow-principal User:worker --operation {operation} --{resource} {name}"
        await secured.allow(deny, DENY)
        await send(admin, [article("a1"), event("u1", "a1"), article("a2")])
        await until(lambda: worker.exit_code() is not None, 90)
        last = told(await asyncio.to_thread(worker.last_line))
        assert worker.exit_code() == 1
    assert "CRITICAL" in last
    assert name in last
    assert "`streamrec topics acl" in last


async def test_no_acl_at_all_is_no_missing_topic(secured: SecuredKafka, names: dict[str, str]) -> None:
    """What cannot be seen may be there."""
    await create(secured.settings("SSL", **names))
    settings = secured.settings_of("trainer", **names)
    checked = await asyncio.to_thread(streamrec, settings, "topics", "check")
    assert "may not see whether there is a topic" in told(checked.stderr)
    assert "topics create" not in checked.stderr
    produced = await asyncio.to_thread(streamrec, settings, "produce", "events", given=event("u", "a").value or b"")
    assert f"user 'trainer' lacks 1 ACL: Write on topic {settings.topic('events')}" in told(produced.stderr)
    watched = await asyncio.to_thread(streamrec, settings, "watch")
    assert f"user 'trainer' lacks 1 ACL: Read on topic {settings.topic('push')}" in told(watched.stderr)
    assert {checked.returncode, produced.returncode, watched.returncode} == {2}
