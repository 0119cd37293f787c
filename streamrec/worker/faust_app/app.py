"""build_app(settings): the worker's Faust app, wired. Agents decode nothing and decide nothing; they hand over.

articles -> ContentAgent -> catalog            events, catalog -> Ownership -> PartitionWriter -> profiles, push
"""

import asyncio
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiokafka.errors import KafkaError

from ...clock import monotonic_s
from ...content.encoder import Encoder
from ...content.pipeline import ContentPipeline
from ...content.query import Queries
from ...contracts.records import TOPICS
from ...engine.policy.config import Policy
from ...engine.predictor import Predictor
from ...kafka.log import Log
from ...kafka.permissions import still_permitted
from ...kafka.topics import changelog_topic
from ...observability.metrics import Metrics
from ...settings import Settings
from ..content_agent import ContentAgent
from ..ownership import Ownership
from ..reporting.metrics_recorder import MetricsRecorder
from ..strays import Strays
from .faust_connection import faust_connection
from .profile_table import declare_profiles
from .web import add_pages
from .worker_app import PromptTables, WorkerApp

log = logging.getLogger(__name__)

SILENCE_S = 10.0
QUEUED_BATCHES = 16  # per topic, inside Faust


def build_app(settings: Settings, ranker: Predictor, encoder: Encoder, metrics: Metrics, kafka: Log) -> WorkerApp:
    """The worker's app with all its pieces connected and nothing started: no connection is open yet."""
    Policy.of(settings)  # a policy that cannot be is said now, not when partitions come
    app = WorkerApp(settings.group_id, **_faust_settings(settings))
    app.batch_events = settings.batch_events
    app.metrics, app.recorder = metrics, MetricsRecorder(metrics, settings)
    app.content = ContentAgent(settings, ContentPipeline(settings, encoder), metrics, kafka)
    changelog = changelog_topic(settings)
    strays = Strays(settings, kafka)
    queries = Queries(encoder)
    app.ownership = Ownership(settings, ranker, app.recorder, app.fail, changelog, kafka, queries, strays)
    declare_profiles(app, changelog, settings.partitions)
    _add_agents(app, settings)
    _add_tasks(app, settings, strays)
    add_pages(app, settings)
    metrics.partitions.set(settings.partitions)
    return app


def _add_agents(app: WorkerApp, settings: Settings) -> None:
    def topic(name: str) -> Any:
        return app.topic(settings.topic(name), key_serializer="raw", value_serializer="raw", maxsize=QUEUED_BATCHES)

    @app.agent(topic("articles"), name="articles")
    async def articles(stream: Any) -> None:
        async for event in stream.events():
            with _ends(app):
                await app.content.analyse(event.value, event.message.generation_id)
                app.ownership.articles_done = app.content.done

    async def offered(stream: Any) -> None:
        async for event in stream.events():
            with _ends(app):
                await app.ownership.offer(event.message.topic, event.message.partition, event.value)

    for name in TOPICS:
        app.agent(topic(name), name=name)(offered)

    @app.on_partitions_revoked.connect
    async def revoked(_: Any, tps: Any, **__: Any) -> None:
        await asyncio.gather(app.ownership.pause(), app.content.release())
        app.ownership.articles_done = None


@contextmanager
def _ends(app: WorkerApp) -> Iterator[None]:
    """Whatever is raised inside ends the process: Faust would acknowledge the record and go on."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is
        app.fail(error)


def _add_tasks(app: WorkerApp, settings: Settings, strays: Strays) -> None:
    @app.task
    async def watch_strays() -> None:
        with _ends(app):
            await strays.watch()

    heard_s = monotonic_s()  # when the broker last said how far the inputs are

    @app.timer(1.0)
    async def ask_fetch_progress() -> None:
        nonlocal heard_s
        try:
            progress = await app.consumer.progress()
        except KafkaError as error:  # no answer is no evidence; a write that hangs ends the process below
            log.warning("the ends of the inputs are not known: %r", error)
            return
        app.note_fetch_progress(progress, settings.topic("articles"))
        if progress:
            heard_s = monotonic_s()

    @app.timer(SILENCE_S)
    async def ask_whether_permitted() -> None:
        if monotonic_s() - heard_s > SILENCE_S:  # a password or an ACL taken back looks like a broker that is away
            with _ends(app):
                await still_permitted(settings, "worker")

    @app.timer(1.0)
    async def renew_slots() -> None:
        with _ends(app):
            await app.content.renew()

    @app.timer(1.0)
    async def observe() -> None:
        app.ownership.observe()
        app.content.observe()
        app.recorder.decided.tell(monotonic_s())
        app.end_if_stuck(settings.max_commit_age_s)


def _faust_settings(settings: Settings) -> dict[str, Any]:
    return {
        **faust_connection(settings),
        "store": "memory://",
        "TableManager": PromptTables,
        "topic_partitions": settings.partitions,
        "topic_allow_declare": False,  # `streamrec topics create` owns the topics
        "topic_disable_leader": True,
        "table_standby_replicas": 0,
        "recovery_consistency_check": False,
        "stream_wait_empty": False,  # offsets follow the cursors, not the acknowledgements
        "stream_recovery_delay": 0.0,
        "consumer_auto_offset_reset": "none",  # where a position is lost, transport.py decides
        "consumer_group_instance_id": settings.instance_id or None,
        "broker_session_timeout": settings.session_timeout_s,
        "broker_heartbeat_interval": min(1.0, settings.session_timeout_s / 4),  # how soon all learn of a rebalance
        "broker_commit_interval": 1.0,
        "broker_max_poll_records": 4 * settings.batch_events,
        "broker_request_timeout": max(90.0, settings.session_timeout_s + 1),
        "producer_request_timeout": 60.0,
        "web_enabled": settings.web_port > 0,
        "web_bind": settings.web_host,
        "web_port": settings.web_port or 6066,
        "web_tables_enabled": False,
        "web_router_enabled": False,
        "autodiscover": False,
        "datadir": str(
            Path(tempfile.gettempdir()) / f"streamrec-faust-{os.getuid()}"
        ),  # Faust wants one; it stays empty
    }
