"""`dlq list`, `show` and `redrive` as a person uses them, on a real broker; and with a worker that fails twice."""

import asyncio
import json
from base64 import b64encode
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from on_kafka import Sent, event, now_ms, send, until
from operations.dlq.letters_of import arrived, dead, values, write

from streamrec.cli.dlq import dlq
from streamrec.errors import KafkaError
from streamrec.kafka.topics import create
from streamrec.kafka.transactions import LETTER_BYTES
from streamrec.settings import Settings, to_environ
from streamrec.tools.worker_process import WorkerProcess, value, worker_process

pytestmark = pytest.mark.kafka


@pytest.fixture
def environ(settings_for_test: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The test's settings as a user gives them. No topics yet."""
    settings = settings_for_test
    for name, text in to_environ(settings).items():
        monkeypatch.setenv(name, text)
    return settings


@pytest.fixture
async def cluster(environ: Settings) -> Settings:
    """Five letters of events, two of articles, for different reasons; one of them cut."""
    await create(environ)
    letters = [dead(environ, "events", number) for number in range(3)]
    letters += [dead(environ, "events", number, "invalid") for number in (3, 4)]
    letters += [
        dead(environ, "articles", 5, "invalid"),
        dead(environ, "articles", 6, "too_large", value=b"x" * 1_000_000),
    ]
    await write(environ, letters)
    return environ


async def run(*arguments: str, given: str = "") -> Result:
    """The command as from a shell; in a thread, since it starts a loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, dlq, list(arguments), input=given)


async def listed(*arguments: str) -> dict[tuple[str, str], tuple[int, int]]:
    """Topic and reason -> letters and open ones."""
    groups = [json.loads(line) for line in (await run("list", "--json", *arguments)).stdout.splitlines()]
    return {(group["topic"], group["reason"]): (group["letters"], group["open"]) for group in groups}


async def shown(*arguments: str) -> list[Any]:
    """Letters as JSON."""
    return [json.loads(line) for line in (await run("show", "--json", *arguments)).stdout.splitlines()]


async def test_list_counts_and_filters(cluster: Settings) -> None:
    """By topic and reason; each filter leaves out what it says; how many are open stands below."""
    events, articles = (
        {("events", "invalid"): (2, 2), ("events", "processing_error"): (3, 3)},
        {
            ("articles", "invalid"): (1, 1),
            ("articles", "too_large"): (1, 1),
        },
    )
    assert await listed() == events | articles
    assert await listed("--topic", "events") == events
    assert await listed("--reason", "too_large", "--reason", "processing_error") == {
        ("articles", "too_large"): (1, 1),
        ("events", "processing_error"): (3, 3),
    }
    assert await listed("--since", "1h") == await listed("--since", "2020-01-31T12:00Z") == events | articles
    assert await listed("--since", "2099-01-01") == await listed("--redriven") == {}
    table = (await run("list")).output
    assert "processing_error" in table
    assert "7 of 7 letters are open" in table


async def test_since_divides_by_time(cluster: Settings) -> None:
    """What was set aside after a moment, and only that."""
    moment_ms = max(letter["at_ms"] for letter in await shown()) + 1
    await until(lambda: now_ms() > moment_ms)
    await write(cluster, [dead(cluster, "catalog", 1, "undecodable")])
    text = datetime.fromtimestamp(moment_ms / 1000, UTC).isoformat()
    assert await listed("--since", text) == {("catalog", "undecodable"): (1, 1)}


@pytest.mark.parametrize("text", ["yesterday", "5", "3w", "2026-13-01"])
async def test_what_is_no_time_is_named(text: str) -> None:
    """With what was expected."""
    result = await run("list", "--since", text)
    assert result.exit_code == 2
    assert f"'{text}' is no time; expected one like" in result.stderr


async def test_show_says_where_and_why(cluster: Settings) -> None:
    """Place, origin, trail; the newest first, up to the limit; key and value only when asked for."""
    (letter,) = await shown("--topic", "events", "--reason", "invalid", "--limit", "1")
    number = letter["origin"]["offset"] - 100
    assert letter["origin"] == {"topic": cluster.topic("events"), "partition": number % 4, "offset": 100 + number}
    assert (letter["trail"], letter["detail"], letter["redriven_ms"]) == ([["trace", f"t{number}"]], "field", [])
    times = [one["at_ms"] for one in await shown()]
    assert times == sorted(times, reverse=True)
    assert "value" not in letter
    text = (await run("show", "--value", "--topic", "events", "--limit", "5")).output
    assert "value: v1\n" in text
    assert f"from {cluster.topic('events')}/1/101" in text
    assert "4 of 5 letters; --limit 5 shows all" in (await run("show", "--topic", "events", "--limit", "4")).output
    cut = (await run("show", "--value", "--reason", "too_large")).output
    assert f"value of 1000000 bytes was cut to {LETTER_BYTES}" in cut
    assert len(cut) < 4000


async def test_redrive_asks_and_writes_once(cluster: Settings) -> None:
    """--dry-run and a no write nothing; a yes writes what was chosen; after that nothing is open."""
    dry = await run("redrive", "--topic", "events", "--dry-run")
    assert (dry.exit_code, "3 of events.dlq (processing_error) would go to events" in dry.output) == (0, True)
    assert (await run("redrive", "--topic", "events", given="n\n")).exit_code == 1
    assert await arrived(cluster, "events") == []
    done = await run("redrive", "--topic", "events", "--reason", "processing_error", given="y\n")
    assert (done.exit_code, "3 letters redriven" in done.output) == (0, True)
    assert values(await arrived(cluster, "events")) == [b"v0", b"v1", b"v2"]
    again = await run("redrive", "--topic", "events", "--reason", "processing_error", "--yes")
    assert "3 were redriven before and are left out" in again.output
    assert "nothing to redrive" in again.output
    assert await listed("--open", "--topic", "events") == {("events", "invalid"): (2, 2)}
    assert await listed("--redriven") == {("events", "processing_error"): (3, 0)}
    assert len(await shown("--limit", "100")) == 7
    assert "redriven 2" in (await run("show", "--redriven")).output
    assert "3 letters redriven" in (await run("redrive", "--again", "--reason", "processing_error", "--yes")).output
    assert len(await arrived(cluster, "events")) == 6


async def test_a_cut_letter_is_refused_by_name(cluster: Settings) -> None:
    """The others go; exit code 1 says that something did not."""
    result = await run("redrive", "--topic", "articles", "--yes")
    assert result.exit_code == 1
    assert "1 cannot be redriven" in result.stderr
    assert "value of 1000000 bytes was cut" in result.stderr
    assert "1 letters redriven" in result.stdout
    assert values(await arrived(cluster, "articles")) == [b"v5"]


async def test_letters_of_catalog_are_counted_and_the_cure_is_named(cluster: Settings) -> None:
    """Whatever was withdrawn or replaced since stays so; the other letters of the run go."""
    await write(cluster, [dead(cluster, "catalog", number) for number in range(25)])
    for dry in ([], ["--dry-run"]):
        result = await run("redrive", "--reason", "processing_error", "--yes", *dry)
        assert result.exit_code == 1
        assert "not 25 of catalog.dlq: only the content agent writes catalog" in result.stderr
        assert "publish the article again" in result.stderr
        assert "25 cannot be redriven" in result.stderr
    assert values(await arrived(cluster, "events")) == [b"v0", b"v1", b"v2"]
    assert await arrived(cluster, "catalog") == []
    assert await listed("--open", "--topic", "catalog") == {("catalog", "processing_error"): (25, 25)}
    assert "Letters of catalog are not written back" in (await run("redrive", "--help")).output


async def test_without_topics_the_cure_is_named(environ: Settings) -> None:
    """None of the three waits for a topic that nobody makes."""
    for command in (["list"], ["show"], ["redrive", "--yes"]):
        error = (await run(*command)).exception
        assert isinstance(error, KafkaError)
        assert "streamrec topics create" in str(error)


async def test_without_a_broker_its_address_is_named(environ: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """One sentence after the wait that is set."""
    monkeypatch.setenv("STREAMREC_BROKERS", "127.0.0.1:1")
    monkeypatch.setenv("STREAMREC_BROKER_WAIT_S", "0")
    error = (await run("list")).exception
    assert isinstance(error, KafkaError)
    assert "no broker answers at 127.0.0.1:1" in str(error)


async def test_a_worker_fails_on_it_twice_and_then_takes_it(environ: Settings, tmp_path: Path) -> None:
    """A record that stays bad is a new letter each time, with the trail; nothing of it is applied or lost."""
    await create(environ)
    with worker_process(environ, tmp_path / "worker.log") as worker:
        await asyncio.to_thread(worker.wait_ready)
        await send(environ, [Sent("events", b"u1", b"\xff{bad"), event("u2", "a1")])
        for turn in (1, 2):
            await until(partial(_set_aside, worker, turn))
            redriven = await run("redrive", "--topic", "events", "--yes")
            assert "1 letters redriven" in redriven.output, redriven.output
        await until(partial(_set_aside, worker, 3))
        letters = sorted(await shown("--value"), key=lambda letter: letter["at_ms"])
        assert await asyncio.to_thread(worker.stop) == 0
    assert [len(letter["redriven_ms"]) for letter in letters] == [1, 1, 0]
    bad = {"base64": b64encode(b"\xff{bad").decode()}
    assert all((at["key"], at["value"], at["reason"]) == ("u1", bad, "undecodable") for at in letters)
    lay = [f"{environ.topic('events')}.dlq/{letter['partition']}/{letter['offset']} undecodable" for letter in letters]
    *came_from, (name, first_ms) = letters[2]["trail"]
    assert came_from == [["streamrec-redriven-from", place] for place in lay[:2]]
    assert (name, int(first_ms) <= letters[0]["at_ms"]) == ("streamrec-first-appended", True)


def _set_aside(worker: WorkerProcess, count: int) -> bool:
    return value(worker.series(), "streamrec_dead_letters_total") >= count
