"""The contestants of `bench pipeline` as processes that can be watched: how far they are, and what CPU they used."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from ...settings import Settings, environ_of_others, to_environ
from ..worker_process import WorkerProcess, value

OURS = {
    "streamrec": ("-m", "streamrec", "worker"),
    "streamrec plain": ("-m", "streamrec.tools.bench.plain_worker"),
}
BASELINES = {"stock faust": ("stock_faust", "stock"), "raw aiokafka": ("raw_aiokafka", "raw")}  # module, group
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class Contestant(NamedTuple):
    """A running process."""

    name: str
    pid: int
    worker: WorkerProcess | None  # ours says itself how far it is, at each commit

    def cpu_s(self) -> float:
        """User and system time of all its threads so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    async def done(self, settings: Settings, consumer: AIOKafkaConsumer) -> int:
        """How many events the contestant has processed and committed so far."""
        if self.worker is not None:
            return int(value(self.worker.series(), "streamrec_events_total"))
        tps = [TopicPartition(settings.topic("events"), number) for number in range(settings.partitions)]
        return sum([await consumer.committed(tp) or 0 for tp in tps])


def group_of(name: str, settings: Settings) -> str:
    """The consumer group whose offsets say how far a contestant is."""
    return settings.topic(BASELINES[name][1]) if name in BASELINES else settings.group_id


@contextmanager
def started(name: str, settings: Settings) -> Iterator[Contestant]:
    """One contestant as a running process while the block lasts."""
    with tempfile.TemporaryDirectory(prefix="streamrec-bench-") as folder:
        log_path = Path(folder) / "log"
        if name in OURS:
            worker = WorkerProcess(settings, log_path, OURS[name])
            worker.ensure()
            try:
                worker.wait_ready()
                yield Contestant(name, worker.pid, worker)
            finally:
                worker.stop()
            return
        module, _ = BASELINES[name]
        command = [sys.executable, "-m", f"streamrec.tools.bench.{module}"]
        environ = {**environ_of_others(), **to_environ(settings)}
        with log_path.open("wb") as log:
            process = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
        try:
            yield Contestant(name, process.pid, None)
        finally:
            process.kill()
            process.wait()
