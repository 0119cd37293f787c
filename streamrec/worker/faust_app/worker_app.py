"""WorkerApp: Faust's app with what the worker's pieces, its pages and its timers need to reach, and the way out."""

import asyncio
import logging
import os
from collections.abc import Mapping
from typing import NoReturn

import faust
from faust.tables import TableManager
from faust.types import TP

from ...clock import monotonic_s
from ...errors import KafkaError, SettingsError
from ...kafka.refusals import denied
from ...observability.metrics import Metrics
from ..content_agent import ContentAgent
from ..fetching.fetch_lag import FetchProgress
from ..ownership import Ownership
from ..process.supervision import guarded
from ..reporting.metrics_recorder import MetricsRecorder
from .transport import BatchConsumer, BatchTransport

log = logging.getLogger(__name__)

ANALYSIS_S = 1.0  # for articles that are being analysed when the worker stops; if it takes longer, the next owner does


class WorkerApp(faust.App):  # type: ignore[misc]
    """Faust's app on the batch transport; build_app sets what pages, timers, agents and the transport have to reach."""

    batch_events: int
    ownership: Ownership
    content: ContentAgent
    metrics: Metrics
    recorder: MetricsRecorder
    member: BatchConsumer | None = None  # of the group, or about to be

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

    # --- the end ------------------------------------------------------------------------------------------------------

    def stop_soon(self) -> None:
        """Commit what was applied, leave the rest to the next owners, and end with 0. Any thread may ask for it."""
        asyncio.run_coroutine_threadsafe(guarded(self._stop_in_order, self.fail), self.loop)

    async def _stop_in_order(self) -> None:
        content = asyncio.create_task(self.content.release())
        await self.ownership.release()
        await asyncio.wait({content}, timeout=ANALYSIS_S)
        if self.member is not None:
            await self.member.commit_last()
        self._end(0)

    def fail(self, error: BaseException) -> NoReturn:
        """End the process, non-zero, at once: what was not committed never happened, and a successor recovers.

        Any thread may do it. Not through Faust's own shutdown, which can wait for ever on a broker that is gone. What a
        setting or the cluster is to blame for is told in a sentence: where in the program it was noticed says nothing
        to whoever has to change it. All that fails after Faust itself has is a consequence of that.
        """
        error = self.crash_reason or error
        told = denied(error)
        is_theirs = told or isinstance(error, SettingsError | KafkaError)
        log.critical("ending: %s", told or error, exc_info=None if is_theirs else error)
        self._end(1)

    def _end(self, code: int) -> NoReturn:
        """The one way out. The group is left first, or the partitions had no owner until the session is over."""
        logging.disable()  # the cause is the last line; clients that nobody closed would say so after it
        if self.member is not None:
            self.member.leave_group()
        logging.shutdown()
        os._exit(code)


class PromptTables(TableManager):  # type: ignore[misc]
    """Faust's, but for the second it gives tables to be declared: ours are, before it starts."""

    async def on_start(self) -> None:
        """Subscribe to the changelog, and recover."""
        if not self.should_stop:
            await self._update_channels()
            await self.recovery.start()
