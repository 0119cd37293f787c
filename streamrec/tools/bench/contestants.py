"""The contestants of `bench pipeline` as processes that can be watched: how far they are, and what CPU they used."""

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from ...errors import StateError
from ...settings import Settings, environ_of_others, to_environ
from ..worker_process import WorkerProcess, die_with_parent, value
from . import kafka_streams, quix_streams

OURS = {
    "streamrec": ("-m", "streamrec", "worker"),
    "streamrec plain": ("-m", "streamrec.tools.bench.plain_worker"),
}
GROUPS = {"stock faust": "stock", "raw aiokafka": "raw", "quix streams": "quix", "kafka streams": "streams"}
MODULES = {"stock faust": "stock_faust", "raw aiokafka": "raw_aiokafka", "quix streams": "quix_streams"}
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """User and system time of all threads of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


class Contestant(NamedTuple):
    """A running process: the worker, which says itself how far it is, at each commit, or a baseline with its log."""

    name: str
    pid: int
    worker: WorkerProcess | None = None
    baseline: "tuple[subprocess.Popen[bytes], Path] | None" = None

    async def done(self, settings: Settings, consumer: AIOKafkaConsumer) -> int:
        """How many events it has processed and committed so far. StateError if a baseline has ended."""
        if self.worker is not None:
            return int(value(self.worker.series(), "streamrec_events_total"))
        if self.baseline and (code := self.baseline[0].poll()) is not None:
            log = self.baseline[1].read_text(errors="replace")[-500:]
            raise StateError(f"{self.name} ended with exit code {code}: {log}")
        tps = [TopicPartition(settings.topic("events"), number) for number in range(settings.partitions)]
        return sum([await consumer.committed(tp) or 0 for tp in tps])


def left_out(settings: Settings) -> dict[str, str]:
    """Baselines that cannot take part here, and why."""
    asked = {"quix streams": quix_streams.left_out(settings), "kafka streams": kafka_streams.left_out(settings)}
    return {name: reason for name, reason in asked.items() if reason}


def group_of(name: str, settings: Settings) -> str:
    """The consumer group whose offsets say how far a contestant is."""
    return settings.topic(GROUPS[name]) if name in GROUPS else settings.group_id


@contextmanager
def started(name: str, settings: Settings) -> Iterator[Contestant]:
    """One contestant as a running process while the block lasts."""
    with tempfile.TemporaryDirectory(prefix="streamrec-bench-", ignore_cleanup_errors=True) as folder:
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
        command = (
            [*_command(MODULES[name]), folder] if name in MODULES else kafka_streams.command(settings, Path(folder))
        )
        with log_path.open("wb") as log:
            process = subprocess.Popen(
                command,
                env=_environ(settings),
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - one prctl, nothing that could deadlock
            )
        try:
            yield Contestant(name, process.pid, baseline=(process, log_path))
        finally:
            process.kill()
            process.wait()


async def figures_of(
    module: str, settings: Settings, *arguments: str, timeout_s: float | None = None
) -> dict[str, Any]:
    """The JSON that a module of this folder prints last, run to its end as a process; StateError if it fails."""
    process = partial(subprocess.run, capture_output=True, text=True, check=False, timeout=timeout_s)
    done = await asyncio.to_thread(process, [*_command(module), *arguments], env=_environ(settings))
    if done.returncode or not done.stdout.strip():
        raise StateError(f"{module} failed: {done.stderr[-500:]}")
    found: dict[str, Any] = orjson.loads(done.stdout.splitlines()[-1])
    return found


def _command(module: str) -> list[str]:
    return [sys.executable, "-m", f"streamrec.tools.bench.{module}"]


def _environ(settings: Settings) -> dict[str, str]:
    return {**environ_of_others(), **to_environ(settings)}
