"""Baseline: Kafka Streams with exactly-once, compiled from KafkaStreamsBench.java where there is a JDK.

It runs on the Java of the extra `demo` and needs one jar besides Kafka's own, fetched and checked as those are: RocksDB
is left out, as state lies in memory, like that of the others. Raises KafkaError with the reason where it cannot run.
"""

import os
import subprocess
import tempfile
from pathlib import Path
from shutil import which

from ...engine.profiles.layout import ROW
from ...errors import KafkaError
from ...settings import Settings
from ..local_kafka.jars import resolve_jars
from ..local_kafka.local_kafka import java_binary

PROGRAM = "KafkaStreamsBench"
RELEASE = "17"  # of Java: what Kafka 4 itself asks for
JVM = ("-Xms256m", "-Xmx1g")  # its own collector: others took as much CPU an event, within noise


def command(settings: Settings, folder: Path) -> list[str]:
    """Compile the program into `folder`, where its state goes too, and answer with the command that runs it."""
    if settings.security_protocol != "PLAINTEXT":
        raise KafkaError("it is not told how to reach a secured cluster")
    javac = which("javac")
    if javac is None:
        raise KafkaError("there is no javac on the PATH; install a JDK 17 or later")
    java, cache = java_binary(), settings.kafka_cache
    jars = [*resolve_jars(cache, name="kafka_streams"), *resolve_jars(cache)]
    class_path = os.pathsep.join(map(str, [folder, *jars]))
    source = Path(__file__).with_name(f"{PROGRAM}.java")
    compiling = [javac, "--release", RELEASE, "-d", str(folder), "-cp", class_path, str(source)]
    done = subprocess.run(compiling, capture_output=True, text=True, check=False)
    if done.returncode:
        raise KafkaError(f"javac could not compile it: {(done.stderr or done.stdout).strip()[-500:]}")
    names = (settings.topic(name) for name in ("streams", "events", "push"))
    return [
        *(str(java), *JVM, "-cp", class_path, PROGRAM),
        *(settings.brokers, *names, str(ROW.itemsize), str(folder)),
    ]


def left_out(settings: Settings) -> str | None:
    """Why it cannot take part here; None if it can."""
    with tempfile.TemporaryDirectory(prefix="streamrec-bench-") as folder:
        try:
            command(settings, Path(folder))
        except KafkaError as error:
            return str(error)
    return None
