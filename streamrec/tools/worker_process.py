"""A worker as a process of its own: started, watched, started again when it dies, and never left behind."""

import ctypes
import http.client
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ..clock import monotonic_s
from ..errors import KafkaError
from ..settings import Settings, environ_of_others, to_environ
from .ports import free_port

PR_SET_PDEATHSIG = 1
ANSWER_S = 30.0  # a busy machine may keep a worker from answering for seconds


class WorkerProcess:
    """`streamrec worker` with these settings, or other arguments to Python; its log goes to a file."""

    def __init__(
        self, settings: Settings, log_path: Path, arguments: Sequence[str] = ("-m", "streamrec", "worker")
    ) -> None:
        self._command = [sys.executable, *arguments]
        self.port = settings.web_port or free_port()
        self.log_path = log_path
        self.restarts = -1
        self._environ = {**environ_of_others(), **to_environ(settings), "STREAMREC_WEB_PORT": str(self.port)}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Process id of the worker that runs now; 0 before the first start."""
        return self._process.pid if self._process else 0

    @property
    def url(self) -> str:
        """Address of the worker's web pages on this machine."""
        return f"http://127.0.0.1:{self.port}"

    def ensure(self) -> bool:
        """Start it if it does not run; True if it had to be started."""
        if self._process is not None and self._process.poll() is None:
            return False
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                env=self._environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl, nothing that could deadlock
            )
        self.restarts += 1
        return True

    def exit_code(self) -> int | None:
        """Exit code of the worker; None while it runs."""
        return self._process.poll() if self._process else None

    def kill(self) -> int | None:
        """Kill the worker by SIGKILL, as a crash; its exit code."""
        if self._process is None:
            return None
        self._process.kill()
        return self._process.wait()

    def stop(self, wait_s: float = 15.0) -> int | None:
        """End the worker by SIGTERM, and by SIGKILL if that takes longer; its exit code."""
        if self._process is None:
            return None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(wait_s)
            except subprocess.TimeoutExpired:
                self.kill()
        return self._process.returncode

    def get(self, page: str) -> tuple[int, bytes]:
        """Status and body of a page; 0 if nobody answers within two seconds."""
        try:
            with urllib.request.urlopen(f"{self.url}{page}", timeout=2) as answer:  # noqa: S310 - our own http address
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except (OSError, http.client.HTTPException):
            return 0, b""

    def answer(self, page: str, wait_s: float = ANSWER_S) -> tuple[int, bytes]:
        """The same, asked for until somebody answers. KafkaError if nobody does, at once if the process has ended."""
        deadline = monotonic_s() + wait_s
        while not (answer := self.get(page))[0]:
            if not self.pid or self.exit_code() is not None or monotonic_s() > deadline:
                raise KafkaError(f"{self.url}{page} does not answer; the worker's last line: {self.last_line()}")
            _pause()
        return answer

    def is_ready(self) -> bool:
        """Whether the group has settled, and the worker has recovered the partitions it was given, if any."""
        return self.get("/ready")[0] == 200

    def series(self) -> dict[str, float]:
        """Its metrics, by series name with labels; waited for as `answer` does."""
        return _series(self.answer("/metrics")[1])

    def series_now(self) -> dict[str, float]:
        """Those of a worker that may be gone: none if it does not answer at once."""
        status, body = self.get("/metrics")
        return _series(body) if status else {}

    def last_line(self) -> str:
        """The last line of the worker's log."""
        if not self.log_path.exists():
            return "(it has no log)"
        return (self.log_path.read_text(errors="replace").splitlines() or ["(its log is empty)"])[-1]

    def wait_ready(self, wait_s: float = 60.0) -> None:
        """KafkaError with the end of its log if it does not become ready."""
        deadline = monotonic_s() + wait_s
        while not self.is_ready():
            if self.exit_code() is not None or monotonic_s() > deadline:
                last = self.log_path.read_text(errors="replace").splitlines()[-5:]
                raise KafkaError("the worker did not become ready; the end of its log:\n" + "\n".join(last))
            _pause()


@contextmanager
def worker_process(settings: Settings, log_path: Path) -> Iterator[WorkerProcess]:
    """A worker that is started on entering the block and stopped on leaving it."""
    process = WorkerProcess(settings, log_path)
    try:
        process.ensure()
        yield process
    finally:
        process.stop()


def value(series: Mapping[str, float], prefix: str) -> float:
    """The sum of all series whose name begins with this."""
    return sum(number for name, number in series.items() if name.startswith(prefix))


def _series(page: bytes) -> dict[str, float]:
    lines = (line for line in page.decode().splitlines() if line and not line.startswith("#"))
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def _pause() -> None:
    import time  # noqa: PLC0415 - waiting is not reading a clock

    time.sleep(0.1)


def die_with_parent() -> None:
    """Of a child between fork and exec: SIGKILL when the thread that started it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
