"""The log a command learns from and judges on: a recorded one, a simulated one, or the topics of a running system."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ..clock import now_ms
from ..content.encoder import Encoder
from ..datasets import TOPICS
from ..datasets.opening import open_log, report
from ..datasets.records import Log
from ..datasets.simulated.log import SimulatedLog
from ..datasets.topics import read_topics
from ..settings import Settings
from ..terminal.progress import Bars
from ..terminal.times import millis
from .negatives import with_negatives
from .row_cache import default_cache, played_once
from .rows import Rows


class Played(NamedTuple):
    """Which log a command plays, and which part of it."""

    log: str
    paths: Sequence[Path]  # of its parts, which are one log
    seed: int  # of what is simulated or sampled
    users: int | None = None  # simulated: readers
    limit: int | None = None  # globo: clicks
    since: str | None = None  # topics
    until: str | None = None  # topics
    allowed: float | None = None  # share of it that need not be readable

    def open(self, settings: Settings, progress: Bars) -> Log:
        """DataError without a path where one is needed, and for times that are none."""
        if self.log == TOPICS:
            return self._topics(settings, progress)
        if self.log == "simulated" and self.users is not None:
            return SimulatedLog(self.seed, self.users)
        return with_negatives(open_log(self.log, self.paths, self.seed, self.limit, self.allowed), self.seed)

    def rows(self, settings: Settings, encoder: Encoder, progress: Bars) -> Rows:
        """What it teaches: the log, played through the features, or as an earlier command has played it."""
        log = self.open(settings, progress)
        settings = settings.changed(max_articles=max(settings.max_articles, log.summary.articles))
        playing = progress.add_task("features", total=log.summary.steps)
        folder = settings.rows_cache or default_cache()
        rows = played_once(log, settings, encoder, folder, lambda done: progress.update(playing, completed=done))
        progress.update(playing, completed=log.summary.steps)
        return rows

    def _topics(self, settings: Settings, progress: Bars) -> Log:
        since_ms = millis("--since", self.since) if self.since else 0
        until_ms = millis("--until", self.until) if self.until else now_ms()
        reading = progress.add_task("topics", total=None)

        def told(done: int, total: int) -> None:
            progress.update(reading, completed=done, total=total)

        log = asyncio.run(read_topics(settings, since_ms, until_ms, told))
        report(log, self.allowed)
        return log
