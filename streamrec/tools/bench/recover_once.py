"""Recover partition 0 of the settings in the environment; prints what it took as JSON (tools/bench/recovery.py)."""

import asyncio
import resource
import sys

import orjson

from ...clock import monotonic_s
from ...kafka.log import KafkaLog
from ...kafka.topics import changelog_topic
from ...models.prior import Prior
from ...partition.partition import Partition, PartitionContext
from ...settings import load
from ...worker.recovery.recovery import recover


def main() -> None:
    """Recover partition 0 in this process, and print users, records, seconds, CPU and memory as JSON."""
    settings = load()
    partition = Partition(PartitionContext.of(settings, 0, Prior()))
    started_s = monotonic_s()
    recovered = asyncio.run(recover(partition, KafkaLog(settings), changelog_topic(settings), settings.partitions))
    used = resource.getrusage(resource.RUSAGE_SELF)
    figures = {
        "users": partition.profiles.count(),
        "records": recovered.records,
        "seconds": monotonic_s() - started_s,
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_mb": used.ru_maxrss / 1024,
    }
    sys.stdout.write(f"{orjson.dumps(figures).decode()}\n")


if __name__ == "__main__":
    main()
