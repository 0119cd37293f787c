"""The README's "By hand", word for word in a fresh shell: a push comes, and where none does, the worker says why."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from streamrec.settings import load
from streamrec.tools.local_kafka.jars import default_cache
from streamrec.tools.ports import is_free

pytestmark = pytest.mark.kafka

REPOSITORY = Path(__file__).parents[2]
PATIENCE_S = 240
PORTS = 9092, 6066  # Kafka's and the worker's own: what a newcomer gets


def lines() -> str:
    """The commands, as they stand there."""
    found = re.search(r"<!-- by hand -->\n```sh\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def folder(kafka: str, tmp_path: Path) -> Iterator[Path]:
    """Where the README's first command was given, as far as these lines see it; `kafka`: there are jars and Java."""
    if taken := [port for port in PORTS if not is_free(port)]:
        pytest.skip(f"ports {taken} of this machine are taken")
    binaries = tmp_path / ".venv" / "bin"
    binaries.mkdir(parents=True)
    program = binaries / "streamrec"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m streamrec "$@"\n')
    program.chmod(0o755)
    (binaries / "activate").write_text(f'PATH="{binaries}:$PATH"\n')
    yield tmp_path
    assert all(map(is_free, PORTS))


def typed(commands: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run by bash, with none of our settings but where the jars are."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("STREAMREC_")}
    environ["PYTHONPATH"] = str(REPOSITORY)
    environ["STREAMREC_KAFKA_CACHE"] = str(load().kafka_cache or default_cache())
    done = folder / "stdout", folder / "stderr"
    with done[0].open("w") as stdout, done[1].open("w") as stderr:
        shell = subprocess.Popen(
            ["bash", "-c", commands], cwd=folder, env=environ, stdout=stdout, stderr=stderr, start_new_session=True
        )
        try:
            code = shell.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)  # all that was started, so that the ports are free again
            code = shell.wait()
    return subprocess.CompletedProcess(commands, code, *(path.read_text() for path in done))


def test_a_push_comes(folder: Path) -> None:
    """The second article, because of the click on the first; and again, where somebody types it all once more.

    Stopped is what has that name, whatever its number: of a Kafka that was still stopping when the next one started
    the number was taken, and Kafka was stopped under the worker, which then had nothing to say but errors, for ever.
    """
    done = typed("sleep 300 & other=$!\n" + lines() * 2 + "kill $other\n", folder)
    pushed = "push u1 <- 'Quantum network links three cities'  because: 1 recent read in science"
    assert done.stdout.count(pushed) == 2, done
    assert "Traceback" not in done.stderr
    assert "Unable connect" not in done.stderr


def test_where_none_comes_the_worker_says_why(folder: Path) -> None:
    """Without the line about the session gap the reader is still in session, and in the log it stands so."""
    forgotten = re.sub(r"export STREAMREC_SESSION_GAP_S.*\n", "", lines())
    wait = "for _ in $(seq 240); do ! grep -q 'held back: ' stderr || break; sleep 0.5; done\n"
    forgotten = re.sub(r"streamrec watch.*\n", lambda _: wait, forgotten)
    assert forgotten.count("\n") == lines().count("\n") - 1
    done = typed(forgotten, folder)
    assert re.search(r"decided: 0 pushes; held back: .*in_session \d", done.stderr), done
