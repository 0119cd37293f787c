"""What a worker process is asked, it answers, late if need be; nobody's silence is taken for a zero."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from streamrec.errors import KafkaError
from streamrec.settings import load
from streamrec.tools.worker_process import WorkerProcess, value

SERVER = """
import os, time, http.server
class Page(http.server.BaseHTTPRequestHandler):
    asked = 0
    def do_GET(self):
        Page.asked += 1
        time.sleep(3 if Page.asked == 1 else 0)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"# HELP a\\na_total{of=\\"x\\"} 3.0\\n")
http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["STREAMREC_WEB_PORT"])), Page).serve_forever()
"""
SILENT = "import time; time.sleep(600)"
ENDING = "print('the last words')"

Start = Callable[[str], WorkerProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """A process that runs this instead of a worker."""
    started: list[WorkerProcess] = []

    def run(script: str) -> WorkerProcess:
        process = WorkerProcess(load({}, web_port=0), tmp_path / "log", ("-c", script))
        started.append(process)
        process.ensure()
        return process

    yield run
    for process in started:
        process.kill()


def test_metrics_are_waited_for(start: Start) -> None:
    """While it starts, and if its first answer takes longer than a request may."""
    assert value(start(SERVER).series(), "a_total") == 3


def test_a_worker_that_has_ended_is_not_waited_for(start: Start) -> None:
    """Its metrics are not zeros either; whoever expects that it may be gone asks for what there is."""
    process = start(ENDING)
    with pytest.raises(KafkaError, match="does not answer; the worker's last line: the last words"):
        process.series()
    assert process.series_now() == {}


def test_a_silent_worker_is_given_up(start: Start, tmp_path: Path) -> None:
    """After a while; and so is one that was never started."""
    with pytest.raises(KafkaError, match="/live does not answer"):
        start(SILENT).answer("/live", wait_s=0.3)
    with pytest.raises(KafkaError, match="it has no log"):
        WorkerProcess(load({}), tmp_path / "none").series()
