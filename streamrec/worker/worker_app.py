"""WorkerApp: Faust's app with what the worker's pieces, its pages and its timers need to reach; and its start and end,
which wait for nothing but what is under way.
"""

import asyncio
import logging
import os
from collections.abc import Mapping

import faust
from faust.tables import TableManager
from faust.types import TP

from ..clock import monotonic_s
from ..errors import KafkaError, SettingsError
from ..kafka.refusals import denied
from ..observability.metrics import Metrics
from .content_agent import ContentAgent
from .fetch_lag import FetchProgress
from .metrics_recorder import MetricsRecorder
from .ownership import Ownership
from .transport import BatchTransport

log = logging.getLogger(__name__)


class WorkerApp(faust.App):  # type: ignore[misc]
    """Faust's app on the batch transport; build_app sets what pages, timers, agents and the transport have to reach."""

    batch_events: int
    ownership: Ownership
    content: ContentAgent
    metrics: Metrics
    recorder: MetricsRecorder

    def _new_transport(self) -> BatchTransport:
        return BatchTransport(self.conf.broker_consumer, self)

    def note_fetch_progress(self, progress: Mapping[TP, FetchProgress], articles: str) -> None:
        """Take in how far each input was handed over; nothing: partitions move or recover."""
        if not progress:
            self.ownership.fetch_lag.forget()
            self.content.fetch_lag.forget()
        for tp, seen in progress.items():
            ours = self.content if tp.topic == articles else self.ownership  # it has a partition 0 as well
            ours.fetch_lag.note(tp.topic, tp.partition, seen, monotonic_s())

    def stuck_s(self, over_s: float) -> dict[int | str, float]:
        """What has work and for longer than `over_s` neither committed any nor was handed any: how long, in seconds.

        By partition, and `articles` for the content agent.
        """
        stuck: dict[int | str, float] = dict(self.ownership.stuck_s(over_s).items())
        if (articles_s := self.content.stuck_s()) > over_s:
            stuck["articles"] = articles_s
        return stuck

    def end_if_stuck(self, limit_s: float) -> None:
        """End the process over a write that stays uncommitted, or where /live has failed for as long as it waits to.

        Not every supervisor asks /live, and none of Docker's restarts a container because it is unhealthy.
        """
        age_s = max(self.ownership.oldest_uncommitted_s(), self.content.stalled_s())
        if age_s > limit_s:
            self.fail(TimeoutError(f"a write has been uncommitted for {age_s:.0f} s, limit {limit_s:.0f} s"))
        for what, seconds in self.stuck_s(2 * limit_s).items():
            waited = f"nothing was handed over or committed for {seconds:.0f} s, and there is something"
            self.fail(TimeoutError(f"{what if what == 'articles' else f'partition {what}'}: {waited}"))

    def refused(self) -> str | None:
        """What of Faust's own work an ACL did not allow, if that ended it: all that fails after it is a consequence."""
        return denied(self.crash_reason) if self.crash_reason is not None else None

    def fail(self, error: BaseException) -> None:
        """End the process, non-zero, at once: what was not committed never happened, and a successor recovers.

        Not through Faust's own shutdown, which can wait for ever on a broker that is gone. What a setting or the
        cluster is to blame for is told in a sentence: where in the program it was noticed says nothing to whoever has
        to change it.
        """
        told = denied(error) or self.refused()
        is_theirs = told or isinstance(error, SettingsError | KafkaError)
        log.critical("ending: %s", told or error, exc_info=None if is_theirs else error)
        logging.shutdown()
        os._exit(1)


class PromptTables(TableManager):  # type: ignore[misc]
    """Faust's, but for the second it gives tables to be declared: ours are, before it starts."""

    async def on_start(self) -> None:
        """Subscribe to the changelog, and recover."""
        if not self.should_stop:
            await self._update_channels()
            await self.recovery.start()


class PromptWorker(faust.Worker):  # type: ignore[misc]
    """Faust's, but for the second it sleeps when all has stopped."""

    async def _sentinel_task(self) -> None:
        """Wait for what was cancelled, at most that second."""
        if left := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(left, timeout=1.0)
