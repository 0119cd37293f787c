"""Whatever stands in a record, a manifest or a file's name, no command lets it act on a terminal or forge a line."""

import asyncio
import json
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from cli.test_produce_watch import PUSH
from click.testing import CliRunner, Result
from operations.dlq.letters_of import dead, write
from trained import publish_small

from streamrec import __main__
from streamrec.__main__ import cli
from streamrec.contracts.push import Reason
from streamrec.errors import StreamrecError
from streamrec.kafka.topics import create
from streamrec.models.store import ModelStore
from streamrec.settings import Settings, to_environ
from streamrec.terminal.printable import printable_lines

FORGED = "push u0001 <- 'You won'"
HOSTILE = f"x\x1b[2J\x1b]0;owned\x07\x9b31m\x08\u202e\u2028\r\n{FORGED} [bold red]:smile:[/nope]"
ACTS = set("\x1b\x07\x9b\x08\u202e\u2028\r")


@pytest.fixture
def cluster(settings_for_test: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings in the environment, as a user gives them."""
    settings = settings_for_test
    for name, text in to_environ(settings).items():
        monkeypatch.setenv(name, text)
    return settings


async def run(*arguments: str | Path | int, given: bytes = b"") -> Result:
    """A command as from a shell, errors of ours as `main` shows them; in a thread, for it starts a loop of its own."""
    result = await asyncio.to_thread(CliRunner().invoke, cli, list(map(str, arguments)), input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit | StreamrecError), result.exception
    return result


def harmless(text: str) -> str:
    """The text, after a look at it: nothing acts, no line is forged."""
    assert not ACTS & set(text)
    assert not any(line.startswith(FORGED) for line in text.splitlines())
    return text


def hostile_push() -> bytes:
    """A push all of whose texts are hostile."""
    reason = Reason("recent_reads", {"count": 3, "category": HOSTILE})
    texts = dict.fromkeys(("user_id", "title", "category", "article_id", "deep_link"), HOSTILE)
    return msgspec.json.encode(msgspec.structs.replace(PUSH, **texts, reason=reason))


@pytest.mark.kafka
async def test_watch_and_audit(cluster: Settings) -> None:
    """A user id, a title and a category; JSON of a push is exact."""
    await create(cluster)
    async with AIOKafkaProducer(bootstrap_servers=cluster.brokers) as producer:
        for _ in range(2):  # twice: a rule of the audit is broken, and its example names the user
            await producer.send_and_wait(cluster.topic("push"), hostile_push(), key=HOSTILE.encode(), partition=0)
    seen = ("watch", "--from-beginning", "--limit", "1")
    assert r"\x1b[2J" in harmless((await run(*seen)).stdout)
    exact = harmless((await run(*seen, "--json")).stdout)
    assert json.loads(exact)["user_id"] == HOSTILE
    audited = await run("audit", "--show-users")
    assert r"user x\x1b[2J" in harmless(audited.stdout)
    assert "[bold red]:smile:[/nope]" in audited.stdout


@pytest.mark.kafka
async def test_dead_letters(cluster: Settings) -> None:
    """Reason, detail, headers, key and value, in each of the three commands."""
    await create(cluster)
    hostile = HOSTILE.encode()
    letters = [dead(cluster, "events", 0, HOSTILE, key=hostile, value=hostile, trail=[(HOSTILE, hostile)])]  # type: ignore[arg-type]
    await write(cluster, letters)
    assert "[bold red]" in harmless((await run("dlq", "list")).stdout)
    assert "[bold red]" in harmless((await run("dlq", "show", "--value")).stdout)
    assert json.loads(harmless((await run("dlq", "show", "--value", "--json")).stdout))["value"] == HOSTILE
    harmless((await run("dlq", "redrive", "--dry-run")).output)


@pytest.mark.kafka
async def test_what_produce_refuses(cluster: Settings) -> None:
    """The decoder quotes the word it does not know."""
    await create(cluster)
    line = {"user_id": "u1", "article_id": "a1", "action": HOSTILE, "at_ms": 1}
    harmless((await run("produce", "events", given=json.dumps(line).encode())).output)


async def test_models(tmp_path: Path) -> None:
    """A manifest's name and the reason of a rollout."""
    publish_small(tmp_path / "made", 1, name=HOSTILE)
    store = tmp_path / "store"
    harmless((await run("model", "add", tmp_path / "made", "--store", store)).output)
    (version,) = ModelStore(store).versions()
    harmless((await run("model", "promote", version, "--reason", HOSTILE, "--store", store)).output)
    assert "[bold red]" in harmless((await run("model", "list", "--store", store)).output)
    harmless((await run("model", "list", "--json", "--store", store)).output)
    harmless((await run("model", "verify", tmp_path / "made")).output)


async def test_names_of_files(tmp_path: Path) -> None:
    """An error quotes the path it is about."""
    folder = tmp_path / HOSTILE.replace("/", "")
    folder.mkdir()
    failed = await run("model", "list", "--store", folder / "none")
    assert failed.exit_code != 0
    harmless(printable_lines(str(failed.exception)))


async def test_a_log_of_files(tmp_path: Path) -> None:
    """Ids, titles, categories and names of columns, read well and not; and the folder's own name."""
    folder = tmp_path / HOSTILE.replace("/", "")
    made = await run("simulate", "--out", folder, "--users", 20, "--hours", 12)
    assert r"\x1b[2J" in harmless(made.output)
    with (folder / "articles.jsonl").open("a") as articles, (folder / "events.jsonl").open("a") as events:
        texts = dict.fromkeys(("article_id", "title", "category", "source", "deep_link", "story_id"), HOSTILE)
        articles.write(json.dumps({**texts, "published_at_ms": 1_767_225_600_000}) + "\n")
        for more in ({"at_ms": 1_767_250_000_000}, {"at_ms": HOSTILE}, {HOSTILE: HOSTILE}):
            events.write(json.dumps({"user_id": HOSTILE, "article_id": HOSTILE, "action": "click", **more}) + "\n")
    harmless((await run("replay", "files", folder, "--no-broker", "--limit", 100)).output)
    refused = await run("produce", "--history", folder)
    assert "rows not read" in harmless(refused.output)
    with (folder / "articles.jsonl").open("w") as articles:
        articles.write(json.dumps({**texts, "published_at_ms": 1_767_225_600_000}) + "\n")
    unmet = await run("replay", "files", folder, "--no-broker")
    assert isinstance(unmet.exception, StreamrecError)
    harmless(unmet.output + printable_lines(str(unmet.exception)))


def test_errors_go_through_it(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What `main` says of an error of ours."""

    def fails(**_: object) -> None:
        raise StreamrecError(HOSTILE)

    monkeypatch.setattr(__main__, "cli", fails)
    with pytest.raises(SystemExit):
        __main__.main()
    assert r"StreamrecError: x\x1b[2J" in harmless(capsys.readouterr().err)


def test_a_traceback_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    """What nobody expected may quote a record, too."""
    __main__._show_traceback(ValueError, ValueError("x\x1b[2J\x9b"), None)
    assert capsys.readouterr().err == "ValueError: x\\x1b[2J\\x9b\n"
