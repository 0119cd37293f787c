"""The demo's conductor: broker, history, model, worker, live news, pushes, summary. Nothing is left behind."""

import asyncio
import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.live import Live

from ..clock import monotonic_s
from ..errors import StateError
from ..settings import Settings, load
from ..simulation.lift import lift
from ..simulation.live import Rate, publish_live
from ..simulation.local_kafka import brokers_or_local
from ..simulation.playing import groups
from ..simulation.publish import publish
from ..simulation.worker_process import WorkerProcess, value, worker_process
from ..worker.topics import create
from . import screen
from .prepare import MIN_SCORE, Prepared, history, train, worth_sending
from .pushes import Seen, read_pushes

PARTITIONS = 4


class Wishes(NamedTuple):
    """What the command line asks for."""

    seconds: float | None
    users: int
    seed: int
    rate: Rate


def run_demo(given: Settings, wishes: Wishes, console: Console) -> None:
    """Run until the time is over or Ctrl-C."""
    with tempfile.TemporaryDirectory(prefix="streamrec-demo-") as name, console.status("") as status:
        folder = Path(name)

        def told(what: str) -> None:
            status.update(what)

        told("starting Apache Kafka (the first time its jars are fetched: 43 MB)")
        with brokers_or_local(given) as brokers:
            settings = demo_settings(given, brokers, folder)
            console.print(f"Apache Kafka runs at {brokers}")
            asyncio.run(create(settings))
            told("writing two days of history")
            prepared = history(wishes.users, wishes.seed)
            console.print(f"ranker trained: {train(prepared, settings, folder / 'model', wishes.seed, told)}")
            told("starting the worker")
            with worker_process(settings, folder / "worker.log") as worker:
                worker.wait_ready()
                console.print(f"worker runs: pid {worker.pid}, {worker.url}/metrics; {_verdict(folder)}")
                status.stop()
                Performance(settings, wishes, prepared, worker, console).play()


def demo_settings(given: Settings, brokers: str, folder: Path) -> Settings:
    """Short times, so that a minute shows something; what the user has set stands."""
    short = {
        "brokers": brokers,
        "app_id": f"demo-{os.getpid()}",
        "topic_prefix": f"demo-{os.getpid()}.",
        "partitions": PARTITIONS,
        "model_dir": folder / "model",
        "session_gap_s": 0.0,
        "min_interval_s": 20.0,
        "quiet_from": "00:00",
        "quiet_to": "00:00",
        "min_score": MIN_SCORE,
        "session_timeout_s": 3.0,
        "web_port": 0,  # any free one: a worker may already run here
    }
    return load({}, **{**short, **given.model_dump(exclude_unset=True), "brokers": brokers})


class Performance:
    """The live part: news and readers in, pushes out, a table in between."""

    def __init__(
        self, settings: Settings, wishes: Wishes, prepared: Prepared, worker: WorkerProcess, console: Console
    ) -> None:
        self._settings, self._wishes, self._prepared = settings, wishes, prepared
        self._worker, self._console = worker, console
        self._seen, self._sent = Seen(), Counter[str]()
        self._ends_s = float("inf")
        self._table_s = 0.5 if console.is_terminal else 5.0

    def play(self) -> None:
        """Until the time is over or Ctrl-C, then the summary."""
        try:
            asyncio.run(self._play())
        except KeyboardInterrupt:
            self._console.print("stopping")
        worth = lift(self._prepared.readers, self._prepared.newsroom, self._seen.pairs)
        screen.summary(self._console, self._seen, worth, self._sent, self._worker)

    async def _play(self) -> None:
        past = groups((step for step in self._prepared.history if worth_sending(step)), span_ms=3_600_000)
        sent = await publish(past, self._settings, speed=None)
        await self._learned(sent["events"])
        if self._wishes.seconds is not None:
            self._ends_s = monotonic_s() + self._wishes.seconds
        live = publish_live(
            self._settings,
            self._prepared.newsroom,
            self._prepared.readers,
            self._wishes.rate,
            self._wishes.seed,
            self._is_over,
            self._sent,
        )
        with Live(console=self._console, auto_refresh=False, transient=True) as table:
            await asyncio.gather(live, self._show_pushes(), self._show_table(table))

    async def _learned(self, events: int) -> None:
        """Wait until the worker has taken in the history and the pushes it led to have left."""
        deadline, pushes = monotonic_s() + 60, -1.0
        while True:
            series = await asyncio.to_thread(self._worker.series)
            before, pushes = pushes, value(series, "streamrec_pushes_total")
            if value(series, "streamrec_events_total") >= events and pushes == before:
                break
            if monotonic_s() > deadline:
                raise StateError(f"the worker did not take in the history within a minute: {self._worker.last_line()}")
            self._worker.ensure()
            await asyncio.sleep(1.0)
        self._console.print(f"history taken in: {events:,} clicks of {len(self._prepared.readers):,} readers")

    def _is_over(self) -> bool:
        return monotonic_s() >= self._ends_s

    async def _show_pushes(self) -> None:
        next_line_s = 0.0
        async for push, latency_ms in read_pushes(self._settings, self._is_over, self._seen):
            if monotonic_s() >= next_line_s:
                self._console.print(
                    screen.push_line(push, latency_ms), highlight=False, overflow="ellipsis", no_wrap=True
                )
                next_line_s = monotonic_s() + 1 / screen.LINES_PER_S

    async def _show_table(self, table: Live) -> None:
        before, then_s = 0, monotonic_s()
        while not self._is_over():
            await asyncio.sleep(self._table_s)
            died, code = self._worker.pid, self._worker.exit_code()
            if self._worker.ensure():
                self._console.print(f"[bold]worker {died} ended (code {code}); started again as {self._worker.pid}[/]")
                if code and code > 0:  # not killed: it says why
                    self._console.print(self._worker.last_line(), highlight=False, markup=False)
            rate = (self._sent["events"] - before) / (monotonic_s() - then_s)
            before, then_s = self._sent["events"], monotonic_s()
            series = await asyncio.to_thread(self._worker.series)
            shown = screen.state(self._worker, series, self._seen, rate, self._sent)
            if self._console.is_terminal:
                table.update(shown, refresh=True)
            else:
                self._console.print(shown)


def _verdict(folder: Path) -> str:
    lines = (folder / "worker.log").read_text(errors="replace").splitlines()
    found = [line.split("streamrec.worker.run: ")[1] for line in lines if "streamrec.worker.run: " in line]
    return found[0] if found else ""
