"""The worker's app starts and ends without waiting for nothing."""

import asyncio
from collections.abc import Sequence

import pytest
from making import T0
from prometheus_client import CollectorRegistry
from slow_log import SlowLog

from streamrec.content.encoder import HashedEncoder
from streamrec.engine.policy.suppression_reasons import SUPPRESSION_REASONS
from streamrec.models.prior import Prior
from streamrec.observability.metrics import Metrics
from streamrec.settings import load
from streamrec.tools.chaos.virtual_time import VirtualTime, run
from streamrec.worker.app import build_app
from streamrec.worker.worker_app import PromptTables, PromptWorker, WorkerApp


def app() -> WorkerApp:
    """Not started."""
    metrics = Metrics(CollectorRegistry(), SUPPRESSION_REASONS)
    return build_app(load({}), Prior(), HashedEncoder(), metrics, SlowLog())


def test_the_app_starts_and_ends_as_ours_do() -> None:
    """Faust makes its tables and its worker of these."""
    made = app()
    assert isinstance(made.tables, PromptTables)
    assert isinstance(made.Worker(), PromptWorker)


@pytest.mark.parametrize(("under_way_s", "waits_s"), [([], 0.0), ([0.2, 0.1], 0.2), ([0.2, 9.0], 1.0)])
def test_the_end_waits_for_what_is_under_way_but_not_for_ever(under_way_s: Sequence[float], waits_s: float) -> None:
    """What was cancelled may have something to close; whatever hangs is left behind after a second."""
    worker = app().Worker()

    async def end() -> float:
        tasks = [asyncio.create_task(asyncio.sleep(seconds)) for seconds in under_way_s]
        await asyncio.sleep(0)
        await worker._sentinel_task()
        assert all(task.done() for task, seconds in zip(tasks, under_way_s, strict=True) if seconds < 1)
        return asyncio.get_running_loop().time()

    assert run(end(), VirtualTime(T0)) == pytest.approx(waits_s)
