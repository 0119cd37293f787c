"""Canaries in a running worker: a good one stays, and each bad one is taken back for the reason it is bad."""

import asyncio
import itertools
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from canaries import THRESHOLD, publish_all
from on_kafka import Sent, article, event, now_ms, send, until

from streamrec.arrays import FloatArray
from streamrec.content.encoder import HashedEncoder
from streamrec.content.pipeline import ContentPipeline
from streamrec.contracts.push import ModelStamp
from streamrec.contracts.records import RawRecord, Topic
from streamrec.kafka.topics import create
from streamrec.models.prior import Prior
from streamrec.models.rollout import promote, try_out
from streamrec.models.store import ModelStore
from streamrec.partition.intake import Batch
from streamrec.partition.partition import Partition, PartitionContext
from streamrec.settings import Settings
from streamrec.tools.worker_process import WorkerProcess, value, worker_process

pytestmark = pytest.mark.kafka

ARTICLES, USERS, CLICKS = 60, 250, 2
WAVES = 12  # that models are made for: articles are read more with each, and a scene may take twenty of them
BAD = ("send_rate", "score_shift", "latency", "parity")


class Recorder:
    """Scores nothing, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.stamp: ModelStamp = Prior().stamp
        self.asked: list[FloatArray] = []

    def probability(self, features: FloatArray) -> FloatArray:
        """All 0."""
        self.asked.append(features.copy())
        return np.zeros(len(features), np.float32)


def articles() -> list[Sent]:
    """Published now, in four categories."""
    names = ("science", "sports", "politics", "health")
    return [article(f"a{number}", category=names[number % 4]) for number in range(ARTICLES)]


def wave(name: str) -> Iterator[Sent]:
    """Clicks of users who were not there before."""
    for click, user in itertools.product(range(CLICKS), range(USERS)):
        yield event(f"{name}-{user}", f"a{(user * 7 + click) % ARTICLES}")


def met(settings: Settings) -> FloatArray:
    """(N, COLUMNS) the rows a worker meets under this load, from a partition without a broker."""
    recorder, pipeline = Recorder(), ContentPipeline(settings, HashedEncoder())
    partition = Partition(PartitionContext.of(settings.changed(partitions=1), 0, recorder))
    analysed = pipeline.analyse([RawRecord(n, now_ms(), sent.key, sent.value) for n, sent in enumerate(articles())])
    catalog = [RawRecord(n, now_ms(), *record) for n, record in enumerate(analysed.catalog)]
    sent = itertools.chain.from_iterable(wave(f"met{number}") for number in range(WAVES))
    clicks = [RawRecord(n, now_ms(), one.key, one.value) for n, one in enumerate(sent)]
    topics: list[tuple[Topic, list[RawRecord]]] = [("catalog", catalog), ("events", clicks)]
    for topic, records in topics:
        for start in range(0, len(records), 100):
            part = records[start : start + 100]
            list(partition.apply(Batch(topic, part, start + len(part)), now_ms()))
            partition.look(now_ms())
    return np.concatenate(recorder.asked)


def test_each_limit_takes_a_canary_back(settings_for_test: Settings, tmp_path: Path) -> None:
    """One worker, six models, real traffic: the reason is in the metric, in the store and in the log."""
    settings = settings_for_test.changed(
        min_score=THRESHOLD, min_affinity=0.0, min_interval_s=0.0, model_dir=tmp_path / "store",
        model_poll_s=0.2, due_scan_s=0.05, engine="torch_int8", shadow_share=1.0,
        canary_min_agreement=0.95,  # a small network in int8: 97 to 99 % where nothing is wrong
    )  # fmt: skip
    store = ModelStore(tmp_path / "store")
    versions = {n: store.add(f).version for n, f in publish_all(tmp_path / "made", met(settings)).items()}
    store.change(lambda rollout: promote(rollout, versions["stable"], "t", ""))
    asyncio.run(create(settings))
    with worker_process(settings, tmp_path / "worker.log") as worker:
        worker.wait_ready()
        asyncio.run(_scenes(settings, store, versions, worker))
        assert (worker.restarts, worker.stop()) == (0, 0)
    said = worker.log_path.read_text()
    assert said.count("canary rolled back") == len(BAD)


async def _scenes(settings: Settings, store: ModelStore, versions: Mapping[str, str], worker: WorkerProcess) -> None:
    await send(settings, articles())
    await until(lambda: value(worker.series(), "streamrec_catalog_articles") >= ARTICLES)
    for name in BAD:
        await _try_out(settings, store, versions[name], worker, name)
        await until(lambda: not store.rollout().canary)
        rolled_back = {reason: value(worker.series(), _rollbacks(reason)) for reason in BAD}
        assert rolled_back[name] == 1, (name, rolled_back, store.rollout().reason)
        assert f"rolled back by a worker, {name}: " in store.rollout().reason
        await until(lambda: value(worker.series(), "streamrec_canary_percent") == 0)
    await _try_out(settings, store, versions["good"], worker, "good")
    assert store.rollout().canary == versions["good"], store.rollout().reason
    assert sum(value(worker.series(), _rollbacks(reason)) for reason in BAD) == len(BAD)
    store.change(lambda rollout: promote(rollout, versions["good"], "later", ""))
    await until(lambda: any(versions["good"] in name for name in worker.series() if "model_info" in name))


async def _try_out(settings: Settings, store: ModelStore, version: str, worker: WorkerProcess, name: str) -> None:
    """As a canary, under load until it is judged: rolled back, or everything about it known."""
    store.change(lambda rollout: try_out(rollout, version, 50, f"t-{name}", ""))
    await until(lambda: value(worker.series(), "streamrec_canary_percent") == 50 or not store.rollout().canary)
    for number in range(20):
        if not store.rollout().canary or _is_judged(worker.series()):
            break
        await send(settings, wave(f"{name}{number}"), pause_s=0.05)


def _is_judged(series: Mapping[str, float]) -> bool:
    gauges = ("psi", "send", "latency")
    known = all(not math.isnan(value(series, f"streamrec_canary_{gauge}_ratio")) for gauge in gauges)
    return known and value(series, "streamrec_canary_psi_ratio") >= 0


def _rollbacks(reason: str) -> str:
    return f'streamrec_canary_rollbacks_total{{reason="{reason}"}}'
