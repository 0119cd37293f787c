"""The broker's process: start, kill, restart on the same data and port, stop, and never outlive us.

Java is started through a line of shell that first forks a watchdog and then becomes Java. The watchdog holds the read
end of a pipe whose write end only we have: when we are gone, by whatever means, the pipe ends, and it kills Java and
removes the folder, unless it is to be kept. (PR_SET_PDEATHSIG would fire when the *thread* that started Java ends, and
needs a preexec_fn.) Both are in a session of their own, so Ctrl-C in the terminal does not reach Java before it
reaches us.
A child that was forked without exec keeps the pipe, and Java, alive as long as it lives.
"""

import contextlib
import os
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path

from ...clock import monotonic_s
from ...errors import KafkaError
from ..ports import HOST, free_port, is_free
from .config import Detour, Node, port_taken, write_config
from .secured import Secured

JVM = ("-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
WATCHDOG = """exec 3<&0; folder=$1; shift
{ trap '' INT TERM; read -r _ <&3; kill -9 $$; sleep 0.2
  [ -z "$folder" ] || rm -rf "$folder" && rmdir "${folder%/*}"; } >/dev/null 2>&1 &
exec "$@" </dev/null 3<&-"""
# size, api key and version, correlation id 1, no client id; of Metadata: no topics
API_VERSIONS = struct.pack(">ihhih", 10, 18, 0, 1, -1)
METADATA = struct.pack(">ihhihi", 14, 3, 1, 1, -1, 0)
LOG_LINES = 12
STOP_S = 10.0


class LocalKafka:
    """A running node. Made by `local_kafka`, which also stops it."""

    def __init__(
        self,
        java: Path,
        jars: list[Path],
        folder: Path,
        port: int,
        node: Node,
        wait_s: float,
        *,
        cluster_id: str,
        is_kept: bool = False,
        secured: Secured | None = None,
        detour: Detour | None = None,
    ) -> None:
        self.ports = {name: free_port() for name in secured.listeners} if secured else {}  # of secured listeners
        self._secured = secured
        self.port, self.node, self._cluster_id = port, node, cluster_id
        self.bootstrap = f"{HOST}:{self.port}"
        self.folder, self.detour = folder, detour
        self.log_path = folder / "kafka.log"
        self._wait_s, self._removed = wait_s, "" if is_kept else str(folder)  # by the watchdog, when we are gone
        self._java = [str(java), *JVM, f"-Dlog4j2.configurationFile={folder / 'log4j2.yaml'}"]
        self._java += ["-cp", os.pathsep.join(map(str, jars))]
        self._config = write_config(folder, port, node, secured, self.ports, detour)
        self._process: subprocess.Popen[bytes] | None = None

    def address(self, listener: str) -> str:
        """Bootstrap server of one of the secured listeners."""
        return f"{HOST}:{self.ports[listener]}"

    @property
    def pid(self) -> int:
        """Java's process id (the last one, if it was killed)."""
        return self._process.pid if self._process else 0

    def _format(self) -> None:
        """Give the data folder a cluster id."""
        tool = ["kafka.tools.StorageTool", "format", "-t", self._cluster_id, "-c", str(self._config)]
        tool += ["--standalone"] if len(self.node.controller_ports) == 1 else []
        tool += self._secured.scram() if self._secured else []
        with self.log_path.open("ab") as log:
            self._spawn(tool, log.fileno())
            self.wait_ended(self._wait_s)
        code = self._process.returncode if self._process else None
        self.kill()
        if code != 0:
            raise KafkaError(self._failure("could not format its data folder", code))

    def start(self) -> None:
        """Start Java and wait until the broker answers; before the first start its folder gets a cluster id."""
        if not (self.folder / "data" / "meta.properties").exists():
            self._format()
        for port in (self.port, self.node.controller_port):
            if not is_free(port):
                raise port_taken(port)
        with self.log_path.open("ab") as log:
            self._spawn(["kafka.Kafka", str(self._config)], log.fileno())
        deadline = monotonic_s() + self._wait_s
        while not answers(self.port):
            self.check()
            if monotonic_s() > deadline:
                self.kill()
                raise KafkaError(self._failure(f"did not answer on {self.bootstrap} within {self._wait_s:g} s", None))
            time.sleep(0.05)
        self.check()

    def check(self) -> None:
        """Raise KafkaError if Java has ended."""
        code = self._process.poll() if self._process else 0
        if code is not None:
            raise KafkaError(self._failure("ended", code))

    def kill(self) -> None:
        """SIGKILL, as a crash would be; the data folder stays for `restart`."""
        if self._process and self._process.stdin and not self._process.stdin.closed:
            # Java and the watchdog, before the pipe closes: the watchdog must not remove the folder
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process.stdin.close()

    def pause(self) -> None:
        """SIGSTOP: it answers nobody, and keeps its connections, until `resume`."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT, after `pause`."""
        os.kill(self.pid, signal.SIGCONT)

    def restart(self) -> None:
        """Start again on the same data and port, after `kill` or a crash, or with a clean stop before."""
        self.stop()
        self.start()

    def stop(self) -> None:
        """SIGTERM, then SIGKILL if that takes longer than 10 s."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            self.wait_ended(STOP_S)
        self.kill()

    def _spawn(self, arguments: list[str], log: int) -> None:
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", WATCHDOG, "sh", self._removed, *self._java, *arguments],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            cwd=self.folder,
            start_new_session=True,
        )

    def wait_ended(self, seconds: float) -> None:
        """Until Java has ended, or so many seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            if self._process:
                self._process.wait(seconds)

    def _failure(self, what: str, code: int | None) -> str:
        lines = self.log_path.read_text(errors="replace").splitlines()[-LOG_LINES:] if self.log_path.exists() else []
        end = f" {_cause(code)}" if code is not None else ""
        quoted = "\n    ".join(lines) or "(empty)"
        return f"the embedded Kafka {what}{end}; the last lines of its log:\n    {quoted}"


def _cause(code: int) -> str:
    if code == -signal.SIGKILL:
        return "(killed by SIGKILL: by somebody, or for want of memory; it needs about 400 MB)"
    if code < 0:
        return f"(killed by {signal.Signals(-code).name})"
    return f"(exit code {code})"


def answers(port: int) -> bool:
    """Whether a Kafka broker answers an ApiVersions request on this port of the local machine."""
    head = _asked(port, API_VERSIONS, 10)
    return len(head) == 10 and struct.unpack(">iih", head)[1:] == (1, 0)


def brokers_known(port: int) -> int:
    """How many brokers of its cluster are up, as the one on this port has heard; 0 if it does not answer."""
    head = _asked(port, METADATA, 12)
    return int(struct.unpack(">iii", head)[2]) if len(head) == 12 else 0


def _asked(port: int, request: bytes, size: int) -> bytes:
    """The first bytes of the answer; fewer if there are no more."""
    try:
        with socket.create_connection((HOST, port), timeout=1.0) as connection:
            connection.sendall(request)
            return connection.recv(size, socket.MSG_WAITALL)
    except OSError:
        return b""
