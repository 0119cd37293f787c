"""`streamrec desk` as a process beside a worker on a real Kafka: what is pressed there is what readers get."""

import asyncio
import re
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from on_kafka import article, event, read, send, until

from streamrec.contracts.control import Command
from streamrec.kafka.topics import create
from streamrec.operations.control import give, newest_versions, read_trail
from streamrec.settings import Settings, environ_of_others, to_environ
from streamrec.tools.ports import free_port
from streamrec.tools.worker_process import worker_process

pytestmark = pytest.mark.kafka


class DeskProcess:
    """A desk that listens, and a person at it."""

    def __init__(self, settings: Settings, log: Path) -> None:
        self.address = f"http://127.0.0.1:{(port := free_port())}"
        self._log = log.open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamrec", "desk", "--port", str(port)],
            env={**environ_of_others(), **to_environ(settings)},
            stderr=self._log,
        )

    def stop(self) -> int:
        """As a supervisor would; its exit code."""
        self.process.terminate()
        code = self.process.wait(20)
        self._log.close()
        return code

    def page(self, path: str) -> str:
        """What a browser would be shown."""
        with urllib.request.urlopen(f"{self.address}{path}", timeout=30) as answer:  # noqa: S310 - our own http address
            return str(answer.read().decode())

    def shows(self, path: str, words: str) -> Callable[[], bool]:
        """Whether a page holds these words by now; not yet, where nobody listens."""

        def shown() -> bool:
            assert self.process.poll() is None
            try:
                return words in re.sub(r"(<[^>]+>|\s)+", " ", self.page(path))
            except OSError:
                return False

        return shown

    def press(self, path: str, **form: str) -> str:
        """Send a form, with the token of a page."""
        found = re.search(r'name="token" value="([^"]+)"', self.page("/write"))
        assert found
        data = urlencode({"token": found[1], **form}).encode()
        with urllib.request.urlopen(f"{self.address}{path}", data, timeout=30) as answer:  # noqa: S310
            return str(answer.read().decode())


@pytest.fixture
def newsroom(settings_for_test: Settings, tmp_path: Path) -> Iterator[tuple[Settings, DeskProcess]]:
    """A worker that knows two articles and three readers, and a desk."""
    settings = settings_for_test.changed(min_interval_s=0.0, two_persons="everybody")
    asyncio.run(create(settings))
    with worker_process(settings, tmp_path / "worker.log") as worker:
        worker.wait_ready()
        desk = DeskProcess(settings, tmp_path / "desk.log")
        try:
            yield settings, desk
        finally:
            desk.process.kill()


def test_what_is_pressed_at_the_desk_is_what_readers_get(newsroom: tuple[Settings, DeskProcess]) -> None:
    """Sent to everybody, seen on the article's page, taken back; stopped, nothing leaves until somebody resumes."""
    settings, desk = newsroom

    async def retracted() -> bool:
        found = await read(settings, settings.topic("push"))
        return sum(b'"retract"' in record.value for record in found) == 3

    async def scene() -> None:
        await send(settings, [article("a0", category="sports"), *(event(f"u{n}", "a0") for n in range(3))])
        await until(desk.shows("/", "Readers 3"), 60)
        await until(desk.shows("/", "yet to read 0"), 30)
        await asyncio.to_thread(desk.press, "/write/send", **STORM, everybody="EVERYBODY", read="yes")
        await until(desk.shows("/article/funnel?id=storm", "have to wait until it is released"), 30)
        await until(desk.shows("/", "Waiting for a second person"), 10)
        assert len(await read(settings, settings.topic("push"))) == 0
        await approved(settings, "storm")
        await until(desk.shows("/", "3 have it, 0 are left to be met"), 30)
        assert len(await read(settings, settings.topic("push"))) == 3
        await asyncio.to_thread(desk.press, "/article/retract", article_id="storm", why="it is over")
        await until(desk.shows("/audit", "it is over"), 10)
        await until(desk.shows("/article?id=storm", "Taken back by"), 10)
        await until(retracted, 20)
        await asyncio.to_thread(desk.press, "/stop", why="a wrong name")
        await until(desk.shows("/articles", "All pushes are stopped"), 10)
        flood = {**STORM, "article_id": "flood", "title": "Flood reaches the town"}
        await asyncio.to_thread(desk.press, "/write/send", **flood, everybody="EVERYBODY", read="yes")
        await approved(settings, "flood")
        await until(desk.shows("/article/funnel?id=flood", "miss it because all pushes are stopped"), 20)
        assert len(await read(settings, settings.topic("push"))) == 6
        await asyncio.to_thread(desk.press, "/resume", why="it was the right one")
        await until(desk.shows("/article?id=flood", "Readers who were sent it 3"), 30)
        await asyncio.to_thread(desk.press, "/reader/preferences", id="u1", daily_cap="1", why="by phone")
        await until(desk.shows("/reader?id=u1", "at most 1"), 20)
        await asyncio.to_thread(desk.press, "/reader/erase", id="u2", again="u2", why="by letter")
        await until(desk.shows("/reader?id=u2", "Nothing is known of this reader"), 20)
        await until(desk.shows("/audit?q=u2", "reader erased"), 10)
        trail = (await read_trail(settings)).entries
        done = [entry.command for entry in trail if entry.command and entry.command.reader]
        assert [(one.action, one.why) for one in done] == [("preferences", "by phone"), ("erasure", "by letter")]
        assert len({one.reader for one in done} - {"u1", "u2"}) == 2
        assert not await read(settings, settings.topic("control.dlq"))  # workers know what it is, and do nothing
        wishes = await read(settings, settings.topic("preferences"))
        assert [record.value for record in wishes if record.key == b"u2"] == [None]  # older patches are compacted away

    asyncio.run(scene())
    assert desk.stop() == 0


async def approved(settings: Settings, article_id: str) -> None:
    """By a second person, at a terminal."""
    newest = (await newest_versions(settings, [article_id]))[article_id]
    said = Command("approve", "a second person", "read and right", 0, article_id=article_id, digest=newest.digest)
    (applied,) = await give(settings, [said])
    assert len(applied.said.persons) == 2


STORM = {"article_id": "storm", "title": "Storm reaches the coast tonight", "audience": "everybody", "breaking": "1"}


def test_a_desk_that_would_be_open_does_not_start() -> None:
    """One sentence, before Kafka is asked for anything."""
    done = subprocess.run(
        [sys.executable, "-m", "streamrec", "desk"], env={**environ_of_others(), "STREAMREC_DESK_HOST": "192.0.2.1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "this desk has no login" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
