"""Whatever ACL of a role is taken away, its command ends before it writes anything, and names it."""

import asyncio
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner
from making_rows import push
from on_kafka import Sent, article, event, now_ms, send, until
from secured_kafka import SecuredKafka

from streamrec.__main__ import cli
from streamrec.cli.topics import ROLES
from streamrec.errors import KafkaError, StreamrecError
from streamrec.kafka import permissions, topics
from streamrec.kafka.permissions import Need, commands, needs, permitted
from streamrec.kafka.reaching import reached
from streamrec.kafka.topics import create
from streamrec.settings import Settings, to_environ

pytestmark = pytest.mark.kafka
COMMANDS = {
    "importer": "produce --history {folder}",
    "gateway": "watch --from-beginning --limit 1",
    "auditor": "audit",
    "operator": "dlq redrive --yes",
    "follower": "explain u1",
    "trainer": "train topics --out {folder}/model",
}


def portions(role: str, settings: Settings) -> list[list[Need]]:
    """The role's ACLs, as many at a time as one refusal names: a topic that is hidden hides its settings, too."""
    wanted = sorted(needs(settings, role), key=lambda need: need.operation)
    size = {"producer": 1, "worker": 2, "admin": topics.SHOWN}.get(role, permissions.SHOWN)
    by_operation = groupby(wanted, lambda need: need.operation)  # a refusal of the admin's is about one operation
    same = [list(found) for _, found in by_operation] if role == "admin" else [wanted]
    return [found[at : at + size] for found in same for at in range(0, len(found), size)]


async def refusal(role: str, settings: Settings, taken: Sequence[Need], folder: Path) -> str:
    """What the role's command says; of what would go on if it may do all, what its start asks first."""
    if role in {"worker", "follower", "desk"}:
        try:
            await permitted(settings, role)
        except KafkaError as error:
            return str(error)
        return ""
    command = COMMANDS.get(role, "")
    if role == "admin":
        command = f"topics {'create' if taken[0].operation == 'Create' else 'check'}"
    if role == "producer":
        command = f"produce {taken[0].name.removeprefix(settings.topic_prefix)}"
    given = (article("a1") if taken[0].name.endswith("articles") else event("u", "a1")).value
    words = [word.format(folder=folder) for word in command.split()]
    done = await asyncio.to_thread(CliRunner().invoke, cli, words, env=to_environ(settings), input=given)
    return str(done.exception) if isinstance(done.exception, StreamrecError) else ""


@pytest.mark.parametrize("role", ROLES)
async def test_each_acl_that_is_missing_is_named(
    role: str, secured: SecuredKafka, names: dict[str, str], tmp_path: Path
) -> None:
    """Exactly those that were taken away, in one sentence that ends the command."""
    settings, super_user = secured.settings_of(role, **names), secured.settings("SSL", **names)
    await create(super_user)
    await send(super_user, [Sent("push", b"u", msgspec.json.encode(push("a1", now_ms(), "u")))])
    await asyncio.to_thread((tmp_path / "events.jsonl").write_bytes, event("u", "a1").value or b"")
    await secured.allow("\n".join(commands(needs(settings, role), f"User:{role}", "")))
    for taken in portions(role, settings):
        await secured.take(f"User:{role}", taken)

        async def is_named(taken: Sequence[Need] = taken) -> bool:
            if taken[0].operation == "Create":
                async with reached(super_user) as admin:
                    await admin.delete_topics([need.name for need in taken])
            said = await refusal(role, settings, taken, tmp_path)
            assert "\n" not in said
            words = [need.name if role == "admin" else str(need) for need in taken]
            return all(word in said for word in words) and taken[0].operation in said and " more" not in said

        await until(is_named, 20)
        await secured.allow("\n".join(commands(taken, f"User:{role}", "")))
        await create(super_user)
