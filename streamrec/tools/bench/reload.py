"""`bench reload`: latency of one worker under even load, while its model changes again and again, and while not.

Phases take turns in one run, so that other load on the machine meets both. In a phase of reloads a version is promoted
as soon as the one before has taken over: it is read, verified, admitted and warmed up in the worker, over and over.
The two models have the usual shape and drawn weights; what they say does not matter here.
"""

import asyncio
import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from ...clock import monotonic_s
from ...content.encoder import HashedEncoder
from ...engine.features.fingerprint import fingerprint
from ...errors import StateError
from ...kafka.topics import create
from ...models.rollout import promote
from ...models.store import ModelStore
from ...settings import Settings
from ..worker_process import WorkerProcess, value
from .contestants import started
from .pipeline import bench_settings, know_articles, paced, quantile

PHASES = ("steady", "reloading")
TAKE_OVER_S = 30.0  # a reload that takes longer is an error


class Phase(NamedTuple):
    """Latency of pushes in one phase, and how often the model changed in it."""

    p50_ms: float
    p99_ms: float
    pushes: int
    reloads: float


async def measure(
    cluster: Settings, per_s: float, seconds: float, rounds: int, told: Callable[[str], object]
) -> dict[str, list[Phase]]:
    """`rounds` phases of each kind, alternating."""
    with tempfile.TemporaryDirectory(prefix="streamrec-bench-") as folder:
        store = ModelStore(Path(folder) / "store")
        versions = [store.add(_drawn(Path(folder) / str(seed), seed)).version for seed in (1, 2)]
        store.change(lambda rollout: promote(rollout, versions[0], "", "bench"))
        settings = bench_settings(cluster, str(store.folder)).changed(model_poll_s=0.1)
        await create(settings)
        await know_articles(settings)
        found: dict[str, list[Phase]] = {phase: [] for phase in PHASES}
        with started("streamrec", settings) as contestant:
            assert contestant.worker is not None
            await paced(settings, per_s, 2.0)  # warm
            for number in range(rounds):
                for phase in PHASES:
                    told(f"round {number + 1} of {rounds}: {phase}")
                    load = (per_s, seconds, f"{phase}{number}-")
                    found[phase].append(await _phase(settings, contestant.worker, store, versions, phase, load))
        return found


async def _phase(
    settings: Settings,
    worker: WorkerProcess,
    store: ModelStore,
    versions: Sequence[str],
    phase: str,
    load: tuple[float, float, str],
) -> Phase:
    before = _reloads(worker)
    changing = asyncio.create_task(_reload_on(worker, store, versions)) if phase == "reloading" else None
    try:
        latency = await paced(settings, *load)
    finally:
        if changing is not None:
            changing.cancel()
            await asyncio.gather(changing, return_exceptions=True)
            await _taken_over(worker, store.rollout().stable)  # or it would fall into the next phase
    if not latency:
        raise StateError(f"no push was committed in a phase: {worker.last_line()}")
    p50, p99 = quantile(latency, 0.5), quantile(latency, 0.99)
    reloads = _reloads(worker) - before
    if (reloads > 0) != (phase == "reloading"):
        raise StateError(f"{reloads:.0f} reloads in a {phase} phase; raise --seconds, or see {worker.last_line()}")
    return Phase(p50, p99, len(latency), reloads)


async def _reload_on(worker: WorkerProcess, store: ModelStore, versions: Sequence[str]) -> None:
    """Promote one version after the other until the task is cancelled."""
    while True:
        stable = store.rollout().stable
        (other,) = (version for version in versions if version != stable)
        store.change(partial(promote, version=other, changed_at=str(monotonic_s()), reason="bench"))
        await _taken_over(worker, other)


async def _taken_over(worker: WorkerProcess, version: str) -> None:
    """Wait until the worker serves this version; StateError if that takes too long."""
    deadline = monotonic_s() + TAKE_OVER_S
    while not any(f'version="{version}"' in name for name in await asyncio.to_thread(worker.series)):
        if monotonic_s() > deadline:
            raise StateError(f"a promotion was not taken over: {worker.last_line()}")
        await asyncio.sleep(0.1)


def _reloads(worker: WorkerProcess) -> float:
    return value(worker.series(), 'streamrec_model_reloads_total{outcome="taken_over"}')


def summary(found: Mapping[str, Sequence[Phase]]) -> dict[str, float]:
    """Medians over rounds; ratios are medians of each round's own."""
    pairs = list(zip(found["steady"], found["reloading"], strict=True))
    return {
        "p50_ms": statistics.median(steady.p50_ms for steady, _ in pairs),
        "p99_ms": statistics.median(steady.p99_ms for steady, _ in pairs),
        "p50_ms_reloading": statistics.median(reloading.p50_ms for _, reloading in pairs),
        "p99_ms_reloading": statistics.median(reloading.p99_ms for _, reloading in pairs),
        "p50_ratio": round(statistics.median(r.p50_ms / max(s.p50_ms, 1) for s, r in pairs), 2),
        "p99_ratio": round(statistics.median(r.p99_ms / max(s.p99_ms, 1) for s, r in pairs), 2),
        "reloads": sum(reloading.reloads for _, reloading in pairs),
    }


def _drawn(folder: Path, seed: int) -> Path:
    from ...models.artifact import save  # noqa: PLC0415
    from ...models.network import SIZES  # noqa: PLC0415 - torch
    from ...training.fit import Fitted  # noqa: PLC0415
    from .engines import drawn  # noqa: PLC0415

    subject = drawn(SIZES, seed)
    save(
        folder,
        **Fitted(subject.network, subject.calibration, {}).parts(subject.rows),
        name="drawn",
        space_id=HashedEncoder().space_id,
        encoder="hashed",
        fingerprint=fingerprint(),
        min_score=0.0,
        created_at="",
    )
    return folder
