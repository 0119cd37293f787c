"""Models change in a running worker under load: nothing is lost, nothing doubled, and each push names its model."""

import asyncio
import itertools
from pathlib import Path

import msgspec
import pytest
from on_kafka import all_events_applied, article, check_against_oracle, event, read, reads_by_user, send, until
from trained import publish_small

from streamrec.contracts.push import Push
from streamrec.kafka.topics import create
from streamrec.models.artifact import WEIGHTS
from streamrec.models.rollout import promote, roll_back, try_out
from streamrec.models.store import VERSIONS, ModelStore
from streamrec.settings import Settings
from streamrec.tools.worker_process import WorkerProcess, value, worker_process

pytestmark = pytest.mark.kafka

USERS, PER_USER = 150, 12  # fewer reads than the ring holds, so n_reads is exact
LATER = 60  # users who come when the canary is there, so that caps leave it something to decide


def reloads(worker: WorkerProcess, outcome: str) -> float:
    """How often, in the worker's life."""
    return value(worker.series(), f'streamrec_model_reloads_total{{outcome="{outcome}"}}')


def test_reloads_under_load_lose_nothing(settings_for_test: Settings, tmp_path: Path) -> None:
    """A promotion, a damaged version, a canary and a rollback while events stream in; one worker, never restarted."""
    store = ModelStore(tmp_path / "store")
    first, second, damaged = (store.add(_published(tmp_path / str(seed), seed)).version for seed in (1, 2, 3))
    (store.folder / VERSIONS / damaged / WEIGHTS).write_bytes(b"damaged")
    store.change(lambda rollout: promote(rollout, first, "t1", ""))
    settings = settings_for_test.changed(
        min_score=0.0, min_affinity=0.0, min_interval_s=0.0,
        model_dir=store.folder, model_poll_s=0.2, engine="int8", shadow_share=1.0,
        canary_min_rows=1_000_000,  # two models drawn at random would be told apart at once
    )  # fmt: skip
    asyncio.run(create(settings))
    stream = [event(f"u{user}", f"a{number}") for number, user in itertools.product(range(PER_USER), range(USERS))]

    async def scene(worker: WorkerProcess) -> None:
        await send(settings, [article(f"a{number}") for number in range(PER_USER)])
        await until(lambda: value(worker.series(), "streamrec_catalog_articles") >= PER_USER)
        sending = asyncio.create_task(send(settings, iter(stream), pause_s=0.35))
        store.change(lambda rollout: promote(rollout, second, "t2", ""))
        await until(lambda: reloads(worker, "taken_over") == 1)
        store.change(lambda rollout: promote(rollout, damaged, "t3", ""))
        await until(lambda: reloads(worker, "refused") == 1)
        assert value(worker.series(), "streamrec_model_behind") == 1
        store.change(lambda rollout: roll_back(rollout, "t4", ""))
        await until(lambda: value(worker.series(), "streamrec_model_behind") == 0)
        store.change(lambda rollout: try_out(rollout, first, 50, "t5", ""))
        await until(lambda: reloads(worker, "taken_over") == 2)
        assert value(worker.series(), "streamrec_canary_percent") == 50
        await send(settings, [event(f"later{user}", "a0") for user in range(LATER)])
        await sending
        await until(lambda: all_events_applied(settings))
        await until(lambda: value(worker.series(), "streamrec_canary_pairs") > 0)
        assert value(worker.series(), "streamrec_shadow_rows") > 0

    with worker_process(settings, tmp_path / "worker.log") as worker:
        worker.wait_ready()
        asyncio.run(scene(worker))
        assert (worker.restarts, worker.stop()) == (0, 0)
    asyncio.run(_nothing_lost(settings, {first, second}))


async def _nothing_lost(settings: Settings, versions: set[str]) -> None:
    everybody = {f"u{user}": PER_USER for user in range(USERS)} | {f"later{user}": 1 for user in range(LATER)}
    assert await reads_by_user(settings) == everybody
    assert await check_against_oracle(settings) == USERS + LATER
    pushes = [msgspec.json.decode(r.value, type=Push) for r in await read(settings, settings.topic("push"))]
    assert len({push.push_id for push in pushes}) == len(pushes) > USERS
    assert {push.model.version for push in pushes} == versions
    for topic in ("events", "catalog"):
        assert not await read(settings, settings.topic(f"{topic}.dlq"))


def _published(folder: Path, seed: int) -> Path:
    publish_small(folder, seed)
    return folder
