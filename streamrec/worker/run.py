"""Run a worker until it is told to stop: the ranker loaded and warm, topics checked, then Faust."""

import asyncio
import logging
from typing import Any, NoReturn

import uvloop

from ..content.encoder import Encoder
from ..content.encoders import encoder_of
from ..engine.policy.suppression_reasons import SUPPRESSION_REASONS
from ..errors import KafkaError, StateError
from ..kafka.log import KafkaLog, Log
from ..kafka.permissions import permitted
from ..kafka.topic_drift import summary
from ..kafka.topics import check
from ..models.load import as_served
from ..observability.logs import configure
from ..observability.metrics import Metrics, process_registry
from ..settings import Settings
from . import model_mirror
from .faust_app.app import build_app
from .faust_app.worker_app import WorkerApp
from .model_loader import ModelLoader
from .process.open_files import raise_limit
from .process.port_check import check_web_port
from .process.stop_signals import StopSignals
from .process.supervision import end_if_blocked


def run_worker(
    settings: Settings,
    kafka: Log | None = None,
    encoder: Encoder | None = None,
    signals: StopSignals | None = None,
) -> NoReturn:
    """Exits 0 after SIGTERM or SIGINT, non-zero after a failure; raises what is wrong before it joins its group.

    `kafka`: where state is written; `encoder`: another than the settings name; `signals`: if they are heard already.
    """
    signals = signals or StopSignals()
    configure(settings.log_format, settings.log_level)
    if settings.log_level == "INFO":  # their INFO tells of their own insides
        for library in (
            "faust",
            "mode",
            "aiokafka",
            "streamrec.worker.faust_app.worker_app",
            "streamrec.worker.fetching.fetcher",
            "streamrec.worker.faust_app.profile_table",
            "streamrec.worker.faust_app.transport",
            "streamrec.worker.faust_app.web",
        ):
            logging.getLogger(library).setLevel(logging.WARNING)
    if "SSL" not in settings.security_protocol:  # uvloop closes a TLS connection 30 s late where a fetch is in flight
        uvloop.install()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    check_web_port(settings)
    raise_limit(settings.partitions)
    loop.run_until_complete(_check_topics(settings))
    encoder = encoder or encoder_of(settings.encoder)
    metrics = Metrics(process_registry(), SUPPRESSION_REASONS)
    model_mirror.start(settings, encoder.space_id, metrics)
    settings = as_served(settings)
    models = ModelLoader(settings, encoder.space_id, metrics)
    app = build_app(settings, models.serving, encoder, metrics, kafka or KafkaLog(settings))
    app.task(models.watch)
    app.task(end_if_blocked)
    worker = _faust_worker(app, loop)
    signals.running(app)
    try:
        loop.run_until_complete(worker.start())
    except BaseException as error:  # noqa: BLE001 - whatever it is
        app.fail(error)
    app.fail(worker.crash_reason or StateError("Faust has ended, and nobody told it to"))


async def _check_topics(settings: Settings) -> None:
    await permitted(settings, "worker")
    drift = await check(settings)
    if drift:
        raise KafkaError("; ".join(summary(drift)))


def _faust_worker(app: WorkerApp, loop: asyncio.AbstractEventLoop) -> Any:
    worker = app.Worker(loop=loop, override_logging=False, redirect_stdouts=False, quiet=True, loglevel="INFO")
    worker.spinner = None
    worker.install_signal_handlers = lambda: None  # stop_signals.py hears them
    return worker
