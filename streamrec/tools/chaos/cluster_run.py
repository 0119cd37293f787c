"""One run on a real cluster: workers under load and faults, then the judge.

The judge reads committed records only. Rows must be those of a sequential oracle, fed with the topics one record at a
time; the rules of the audit must hold; the dead letters are exactly what cannot be read; everything is applied; each
article that was acknowledged stands in every partition of `catalog` (articles.py); the last command on each target
counts, and what was retracted is taken back; nothing is left of who was erased, or comes back (cluster_requests.py).
"""

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ...clock import monotonic_s
from ...contracts.decode import Origin, Typed, decode_catalog, decode_erasures, decode_events
from ...contracts.inputs import OF_READERS
from ...contracts.records import DeadLetter, Record, Topic
from ...engine.catalog import Catalog
from ...engine.profiles.zones import is_zone
from ...errors import KafkaError
from ...kafka.log import KafkaLog, Reader, read_all
from ...kafka.topics import changelog_topic, create, delete
from ...operations.audit.reader import read as read_facts
from ...operations.erasing import proof
from ...partition.changelog_meta import CONTROL_PREFIX, ChangelogContent
from ...settings import Settings
from ..local_kafka.cluster import LocalCluster
from .articles import article_differences, letter_differences
from .articles_reading import Arrived
from .cluster_load import ARTICLES, CAP, LEAST_IN_FULL, publish_first, send_events
from .cluster_requests import ERASED, come_back, command_differences, command_until, erase_some
from .faults import available
from .fleet import Fleet
from .network_faults import bad_network
from .reference_reading import PlainReading
from .row_check import push_differences, row_differences
from .scene import SESSION_S, Scene
from .second_opinion import push_in
from .verdict import Verdict

PER_S, DRAIN_S = 500.0, 120.0
WAVE = CONTROL_PREFIX + b"wave/"


class Outcome(NamedTuple):
    """What the judge found after one run on a cluster, and how its workers ended."""

    fault: str
    verdict: Verdict
    exits: dict[int, int]  # exit code -> workers that ended so
    seconds: float
    kept: str = ""  # what the names of its topics begin with, where they are still there


def settings_of_run(settings: Settings, seed: int) -> Settings:
    """Topics of its own; a policy under which much is pushed and every gate has something to refuse."""
    run = f"chaos-{seed}-{uuid.uuid4().hex[:6]}"
    return settings.changed(
        topic_prefix=f"{run}.", app_id=run, partitions=8, min_score=0.0, min_affinity=0.0, min_interval_s=2.0,
        session_gap_s=0.0, daily_cap=CAP, quiet_from="00:00", quiet_to="00:00", session_timeout_s=SESSION_S, web_port=0,
        model_dir=None, policy_time="wall", log_format="text",
    )  # fmt: skip


async def cluster_run(
    base: Settings, cluster: LocalCluster | None, seed: int, folder: Path, events: int, network: str | None = None,
    fault: str | None = None,
) -> Outcome:  # fmt: skip
    """Play the run of this seed; worker logs go to `folder`. `network`: its family of faults, and no others.
    `fault`: this one, and not the one of the seed.

    Its topics go with it; those of a run that failed stay on a cluster that is not ours, to be looked into.
    """
    settings, outcome = settings_of_run(base, seed), None
    await brokers_there(cluster)
    try:
        await create(settings)
        outcome = await _play(settings, cluster, seed, folder, events, network, fault)
    finally:
        failed = outcome is not None and not outcome.verdict.holds
        kept = (cluster is None and failed) or not await _deleted(settings)
    return outcome._replace(kept=settings.topic_prefix) if cluster is None and kept else outcome


async def _deleted(settings: Settings) -> bool:
    """Or a broker that is killed has the logs of all runs to look through, and somebody's cluster is littered."""
    try:
        await delete(settings)
    except KafkaError:
        return False
    return True


async def _play(
    settings: Settings, cluster: LocalCluster | None, seed: int, folder: Path, events: int, network: str | None,
    fault: str | None,
) -> Outcome:  # fmt: skip
    started_s, rng = monotonic_s(), np.random.default_rng(seed)
    faults = available(cluster)
    name = network or fault or list(faults)[seed % len(faults)]
    is_alone = network is not None and seed % 2 == 0
    verdict = Verdict(runs=1)
    async with AsyncExitStack() as stack:
        reached = settings
        if network and cluster:
            reached = await stack.enter_async_context(bad_network(settings, cluster.nodes[0], network, rng))
        fleet = Fleet(settings if is_alone else reached, folder, int(rng.integers(2, 4)), first=reached)
        supervising = asyncio.create_task(fleet.supervise())
        try:
            await fleet.ready()
            await publish_first(settings)
            await _until_applied(settings, verdict, "catalog", ARTICLES)
            sending = asyncio.create_task(_send(settings, seed, events))
            if not network:
                await faults[name](Scene(fleet, cluster, rng, settings))
            await sending
            for topic in OF_READERS:
                await _until_applied(settings, verdict, topic, 0)
            back_ms = await come_back(settings)
            await _until_applied(settings, verdict, "events", 0)
            await _until_catalogued(settings)
            for topic in ("catalog", "control"):
                await _until_applied(settings, verdict, topic, 0)
            await _until_taken_back(settings, verdict)
            await _end(fleet, supervising)  # or a reader who was due is pushed to between the judge's looks
            await _judge(settings, verdict, back_ms)
        except KafkaError as error:  # a finding, and not the end of all runs
            verdict.violate(str(error))
        finally:
            verdict.owners = len(fleet.workers) + fleet.exits.total()
            await _end(fleet, supervising)
    return Outcome(f"{name}, one" if is_alone else name, verdict, dict(fleet.exits), monotonic_s() - started_s)


async def _send(settings: Settings, seed: int, events: int) -> None:
    """Events and articles; erasures and commands all the while."""
    done, (load, editors) = asyncio.Event(), np.random.default_rng(seed + 1).spawn(2)
    articles = [f"n{number}" for number in range(0, events, round(PER_S))]
    async with asyncio.TaskGroup() as group:
        group.create_task(command_until(done, settings, editors, articles))
        group.create_task(erase_some(settings, events / PER_S / 3))
        await send_events(settings, load, events, PER_S)
        done.set()


async def brokers_there(cluster: LocalCluster | None) -> None:
    """Again, if the run before has left one dead: that was its finding, and is not that of all the others."""
    if cluster is not None:
        await asyncio.to_thread(cluster.restart)


async def _end(fleet: Fleet, supervising: "asyncio.Task[None]") -> None:
    supervising.cancel()
    await asyncio.to_thread(fleet.stop)


async def _until_applied(settings: Settings, verdict: Verdict, topic: Topic, at_least: int) -> None:
    """Until the cursors of all partitions are past all there is; what is not after DRAIN_S is lost."""
    deadline = monotonic_s() + DRAIN_S
    while True:
        async with KafkaLog(settings).reader() as reader:
            left = 0
            for number in range(settings.partitions):
                meta = (await _content(reader, settings, number)).meta
                records = await read_all(reader, settings.topic(topic), number)
                left += max(0, at_least - len(records))
                left += sum(record.offset >= meta.cursor.get(topic, 0) for record in records)
        if not left:
            return
        if monotonic_s() > deadline:
            verdict.lost += left
            verdict.found.append(f"{left} records of {topic} were not applied within {DRAIN_S:.0f} s")
            return
        await asyncio.sleep(0.5)


async def _until_taken_back(settings: Settings, verdict: Verdict) -> None:
    """Until no wave of retractions or corrections is on its way."""
    deadline = monotonic_s() + DRAIN_S
    while True:
        async with KafkaLog(settings).reader() as reader:
            contents = [await _content(reader, settings, number) for number in range(settings.partitions)]
        left = [key for content in contents for key, value in content.control.items() if value and WAVE in key]
        if not left:
            return
        if monotonic_s() > deadline:
            verdict.violate(f"{len(left)} waves were not over within {DRAIN_S:.0f} s")
            return
        await asyncio.sleep(0.5)


async def _until_catalogued(settings: Settings) -> None:
    """Until every article stands in `catalog`, or DRAIN_S; the judge says what does not."""
    deadline = monotonic_s() + DRAIN_S
    while monotonic_s() < deadline:
        async with KafkaLog(settings).reader() as reader:
            if not await _misplaced(reader, settings):
                return
        await asyncio.sleep(0.5)


async def _misplaced(reader: Reader, settings: Settings) -> list[str]:
    articles = await read_all(reader, settings.topic("articles"), 0)
    letters = await read_all(reader, settings.topic("articles.dlq"), 0)
    found = letter_differences(articles, letters)
    for number in range(settings.partitions):
        catalog = await read_all(reader, settings.topic("catalog"), number)
        found += [f"partition {number}: {what}" for what in article_differences(articles, catalog)]
    return found


async def _content(reader: Reader, settings: Settings, number: int) -> ChangelogContent:
    content = ChangelogContent(settings.partitions)
    records = await read_all(reader, changelog_topic(settings), number)
    content.take((record.key or b"", record.value) for record in records)
    return content


async def _judge(settings: Settings, verdict: Verdict, back_ms: int) -> None:
    unreadable = set_aside = 0
    async with KafkaLog(settings).reader() as reader:
        for number in range(settings.partitions):
            content = await _content(reader, settings, number)
            rows = content.rows(Catalog(), 0)
            events = await read_all(reader, settings.topic("events"), number)
            catalog = await read_all(reader, settings.topic("catalog"), number)
            erasures = await read_all(reader, settings.topic("erasure"), number)
            state, bad = _oracle(settings, number, catalog, events, erasures)
            verdict.events += len(events)
            pushes = [push_in(record) for record in await read_all(reader, settings.topic("push"), number)]
            verdict.pushes += len(pushes)
            for push in pushes:
                if push.kind == "push" and (push.user_id not in ERASED or push.created_at_ms >= back_ms):
                    state.push(push.user_id, push.article_id)
            verdict.compare(state.compared())
            unreadable += bad
            set_aside += len(await read_all(reader, settings.topic("events.dlq"), number))
            control = await read_all(reader, settings.topic("control"), number)
            whole = {user_id for user_id, each in state.readers.items() if not each.is_crowded} - {*ERASED}
            found = [*row_differences(rows, state), *push_differences(rows, state)]
            for what in [*found, *command_differences(control, pushes, content, whole)]:
                verdict.violate(f"partition {number}: {what}")
        for what in await _misplaced(reader, settings):
            verdict.violate(what)
    verdict.judge_comparison(LEAST_IN_FULL)
    if unreadable != set_aside:
        verdict.violate(f"{set_aside} dead letters, {unreadable} records that cannot be read")
    for what in (await proof(settings))[1]:
        verdict.violate(what)
    verdict.audit(await read_facts(settings), settings)


def _oracle(
    settings: Settings, number: int, catalog: Sequence[Record], events: Sequence[Record], erasures: Sequence[Record]
) -> tuple[PlainReading, int]:
    """Erasures first: whoever comes back does so when they are applied, and of what was before nothing counts."""
    state, bad = PlainReading(settings), 0
    for erasure in decode_erasures(erasures, Origin("erasure", number)):
        if isinstance(erasure, Typed):
            state.take(erasure.value)
    for article in decode_catalog(catalog, Origin("catalog", number)):
        if isinstance(article, Typed):
            state.take(Arrived(article.value, article.value.known_at_ms))
    for event in decode_events(events, Origin("events", number), is_zone):
        if isinstance(event, Typed):
            state.take(event)
        bad += isinstance(event, DeadLetter)
    return state, bad
