"""The demo's conductor: broker, history, model, worker, live news, summary. Nothing is left behind."""

import asyncio
import os
import signal
import tempfile
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from ...kafka.topics import create
from ...settings import Settings, load
from ..local_kafka.local_kafka import cluster_or_local
from ..simulation.live import Rate
from ..worker_process import worker_process
from .desk import desk
from .lines import loosened
from .performance import Performance
from .prepare import MIN_SCORE, history, train
from .screen import Screen

PARTITIONS = 4


class Options(NamedTuple):
    """The options of `streamrec demo`."""

    seconds: float | None
    users: int
    seed: int
    rate: Rate


def run_demo(given: Settings, options: Options, console: Console) -> None:
    """Run until the time is over, Ctrl-C or SIGTERM."""
    # so that `timeout 60 streamrec demo` and a container's end stop broker and worker too
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a shell's background job ignores SIGINT
    screen = Screen(console)
    try:
        with tempfile.TemporaryDirectory(prefix="streamrec-demo-") as name:
            _run(given, options, Path(name), screen)
    finally:
        screen.done()


def _run(given: Settings, options: Options, folder: Path, screen: Screen) -> None:
    theirs = "brokers" in given.model_fields_set
    if theirs:
        screen.doing(f"making topics at {given.brokers}")
    else:
        screen.doing("starting Apache Kafka (the first time its jars are fetched: 43 MB)")
    with cluster_or_local(given) as cluster:
        settings = demo_settings(cluster, folder)
        screen.fact("Apache Kafka", f"runs at {settings.brokers}")
        asyncio.run(create(settings))
        screen.doing("simulating two days of history")
        prepared = history(options.users, options.seed)
        screen.doing("training a ranker on it")
        screen.fact("ranker", train(prepared, settings, folder / "model", options.seed, screen.progress))
        screen.doing("starting the worker")
        with worker_process(settings, folder / "worker.log") as worker:
            worker.wait_ready()
            screen.fact("worker", f"pid {worker.pid}, {worker.url}/metrics")
            if different := loosened(settings):
                screen.fact("push policy", different)
            screen.fact("its engine", _verdict(folder / "worker.log"))
            with desk(settings, folder / "desk.log") as where:
                screen.fact("desk", where)
                Performance(settings, prepared, worker, screen, options.rate, options.seed).play(options.seconds)
            screen.doing("stopping the worker" if theirs else "stopping the worker and Kafka")


def demo_settings(given: Settings, folder: Path) -> Settings:
    """Short times, so that a minute shows something; what the user has set stands."""
    short = {
        "app_id": f"demo-{os.getpid()}",
        "topic_prefix": f"demo-{os.getpid()}.",
        "partitions": PARTITIONS,
        "model_dir": folder / "model",
        "session_gap_s": 0.0,
        "min_interval_s": 10.0,
        "quiet_from": "00:00",
        "quiet_to": "00:00",
        "min_score": MIN_SCORE,
        "session_timeout_s": 3.0,
        "web_port": 0,  # any free one: a worker may already run here
    }
    ours = {"log_format": "text", "log_level": "INFO"}  # the worker's log is read here
    return load({}, **{**short, **given.model_dump(exclude_unset=True), **ours})


def _verdict(log: Path) -> str:
    """The admission check's sentence in the worker's log, without the fields behind it."""
    said = [
        line.split("streamrec.worker.model_loader: ")[1]
        for line in log.read_text(errors="replace").splitlines()
        if "streamrec.worker.model_loader: " in line
    ]
    return said[0].partition(" model=")[0] if said else "see its log"
