"""The demo's live part: news and readers in, pushes out, the running figures below, and a worker kept alive."""

import asyncio
from collections import Counter, deque
from collections.abc import Mapping

from aiokafka import AIOKafkaConsumer

from ...clock import monotonic_s
from ...errors import StateError
from ...kafka.clients import consumer
from ...settings import Settings
from ..replay.producer_records import groups
from ..replay.publish import publish
from ..simulation.lift import lift
from ..simulation.live import Rate, publish_live
from ..worker_process import WorkerProcess, value
from .lines import Now, running, summary
from .prepare import Prepared, worth_sending
from .pushes import Seen, read_pushes
from .screen import Screen

PUSHES_SHOWN_PER_S = 3.0
HISTORY_WAIT_S = 60.0
RATE_WINDOW_S = 5.0
WORK = ["streamrec_catalog_articles", "streamrec_suppressions_total", "streamrec_pushes_total"]  # still: all is decided


class RecentRate:
    """Growth per second of a count that only grows, over the last RATE_WINDOW_S (or since the start), whatever the
    intervals at which it is asked.
    """

    def __init__(self, now_s: float) -> None:
        self._points = deque([(now_s, 0)])

    def after(self, now_s: float, total: int) -> float:
        """The rate now that `total` is reached; 0 while no time has passed."""
        self._points.append((now_s, total))
        while self._points[1][0] <= now_s - RATE_WINDOW_S:
            self._points.popleft()
        then_s, before = self._points[0]
        return (total - before) / (now_s - then_s) if now_s > then_s else 0.0


class Performance:
    """One run: the history, then live news until the time is over, then the summary."""

    def __init__(
        self, settings: Settings, prepared: Prepared, worker: WorkerProcess, screen: Screen, rate: Rate, seed: int
    ) -> None:
        self._settings, self._prepared, self._worker, self._screen = settings, prepared, worker, screen
        self._rate, self._seed = rate, seed
        self._seen, self._sent = Seen(), Counter[str]()
        self._series: Mapping[str, float] = {}
        self._ends_s = float("inf")
        self._died_s: float | None = None  # set until the worker has recovered

    def play(self, seconds: float | None) -> None:
        """Show pushes and figures until the time is over or Ctrl-C comes, then the summary."""
        try:
            asyncio.run(self._play(seconds))
        except KeyboardInterrupt:
            self._screen.done()
        worth = lift(self._prepared.readers, self._prepared.newsroom, self._seen.pairs)
        self._screen.heading("what it was worth")
        for label, text in summary(self._settings, self._seen, worth, self._sent, self._series, self._worker.restarts):
            self._screen.fact(label, text)

    async def _play(self, seconds: float | None) -> None:
        self._screen.doing("the worker takes in the history")
        past = groups((step for step in self._prepared.history if worth_sending(step)), span_ms=3_600_000)
        sent = await publish(past, self._settings, speed=None)
        await self._learned(sent["events"])
        topic = self._settings.topic("push")
        async with consumer(self._settings, topic, isolation_level="read_committed") as pushes:
            await pushes.seek_to_end()  # what left before, for the history, is not shown
            if seconds is not None:
                self._ends_s = monotonic_s() + seconds
            with self._screen.running():
                await asyncio.gather(self._make_news(), self._show_pushes(pushes), self._show_figures())

    async def _learned(self, events: int) -> None:
        """Wait until the worker is done with the history: live news behind a backlog would show the backlog's delay."""
        deadline, work = monotonic_s() + HISTORY_WAIT_S, [0.0]
        while True:
            series = await asyncio.to_thread(self._worker.series_now)
            before, work = work, [value(series, name) for name in WORK]
            if value(series, "streamrec_events_total") >= events and work == before:
                break
            if monotonic_s() > deadline:
                raise StateError(f"the worker did not take in the history within a minute: {self._worker.last_line()}")
            self._worker.ensure()
            await asyncio.sleep(1.0)
        self._screen.fact("history", f"{events:,} clicks of {len(self._prepared.readers):,} readers taken in")

    def _is_over(self) -> bool:
        return monotonic_s() >= self._ends_s

    async def _make_news(self) -> None:
        newsroom, readers = self._prepared.newsroom, self._prepared.readers
        await publish_live(self._settings, newsroom, readers, self._rate, self._seed, self._is_over, self._sent)

    async def _show_pushes(self, pushes: AIOKafkaConsumer) -> None:
        next_s = 0.0
        async for push, latency_ms in read_pushes(pushes, self._is_over, self._seen):
            is_first = push.kind != "push" and self._seen.steered[push.kind, push.title] == 1
            if is_first or monotonic_s() >= next_s:
                self._screen.push(push, latency_ms)
                next_s = monotonic_s() + 1 / PUSHES_SHOWN_PER_S

    async def _show_figures(self) -> None:
        rate = RecentRate(monotonic_s())
        while not self._is_over():
            await asyncio.sleep(min(self._screen.every_s, max(0.0, self._ends_s - monotonic_s())))
            events_per_s = rate.after(monotonic_s(), self._sent["events"])
            await self._keep_alive()
            self._series = await asyncio.to_thread(self._worker.series_now) or self._series
            now = Now(self._worker, self._series, self._seen, self._sent, events_per_s)
            self._screen.show(running(now, self._screen.fact_width))

    async def _keep_alive(self) -> None:
        """Start the worker again when it has ended; say so, and when it has recovered."""
        pid, code = self._worker.pid, self._worker.exit_code()
        if self._worker.ensure():
            self._died_s = monotonic_s()
            self._screen.fact("worker", f"{pid} ended (code {code}); started again as {self._worker.pid}")
            if code and code > 0:  # not killed: it says why
                self._screen.fact("its log", self._worker.last_line())
        elif self._died_s is not None and await asyncio.to_thread(self._worker.is_ready):
            self._screen.fact("worker", f"{pid} has recovered, {monotonic_s() - self._died_s:.1f} s after the end")
            self._died_s = None
