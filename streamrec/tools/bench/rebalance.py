"""`bench rebalance`: for how long partitions stand still when workers restart, die, join and leave.

Two workers, eight partitions, steady load. The gap of a partition is the longest time between two of its committed
cursors while the scene is played, read from the changelog; `moved` are the partitions of the worker something happens
to (of all that changed hands, where nobody leaves), `kept` the others. What a scene costs besides: how long the worker
took to end.
"""

import asyncio
import os
import signal
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import orjson

from ...clock import monotonic_s, now_ms
from ...errors import StateError
from ...kafka.clients import producer
from ...kafka.log import KafkaLog, read_all
from ...kafka.topics import changelog_topic, create
from ...kafka.transactions import Transactions
from ...partition.changelog_meta import CURSOR_KEY
from ...settings import Settings
from ..worker_process import WorkerProcess
from .load import beside, own_topics

PARTITIONS, PER_S, USERS = 8, 400, 2000
SESSION_S = 6.0
BEFORE_S, AFTER_S = 4.0, 4.0


class Gaps(NamedTuple):
    """For how many seconds partitions stood still in one scene, and how a worker ended."""

    moved_s: float  # worst gap of a partition that was to move
    kept_s: float | None  # worst gap of one that was not; None: all moved
    exit_s: float | None  # from SIGTERM, or what a worker fails by, to the end of the process
    exit_code: int | None


class Stage(NamedTuple):
    """The workers of a scene, the settings they share, and the folder of their logs."""

    settings: Settings
    folder: Path
    static: bool
    workers: list[WorkerProcess]

    def start(self, number: int) -> WorkerProcess:
        """Start a worker process more, with a static group id if the stage is static."""
        name = f"worker-{number}" if self.static else ""
        settings = self.settings.changed(instance_id=name)
        worker = WorkerProcess(settings, self.folder / f"worker-{number}.log")
        worker.ensure()
        self.workers.append(worker)
        return worker

    def owned(self, number: int) -> set[int]:
        """The partitions that a worker says it owns."""
        _, body = self.workers[number].get("/ready")
        return set(orjson.loads(body)["partitions"]) if body else set()


Ending = tuple[float, int | None] | None


async def restart(stage: Stage) -> Ending:
    """End a worker by SIGTERM, and start it again at once."""
    ending = await leave(stage)
    stage.workers[0].ensure()
    return ending


async def kill(stage: Stage) -> Ending:
    """Kill a worker by SIGKILL, and start it again at once."""
    await asyncio.to_thread(stage.workers[0].kill)
    stage.workers[0].ensure()
    return None


async def crash(stage: Stage) -> Ending:
    """Let a worker fail, and start it again at once: somebody else takes over the transactions of a partition."""
    started_s, worker = monotonic_s(), stage.workers[0]
    usurper = Transactions(f"{stage.settings.group_id}-{min(stage.owned(0))}", KafkaLog(stage.settings))
    try:
        await usurper.start()
        while (code := worker.exit_code()) is None:  # noqa: ASYNC110 - a process is not ours to be told of
            await asyncio.sleep(0.01)
    finally:
        await usurper.stop()
    worker.ensure()
    return monotonic_s() - started_s, code


async def leave(stage: Stage) -> Ending:
    """End a worker by SIGTERM, and leave the others to its partitions."""
    started_s = monotonic_s()
    code = await asyncio.to_thread(stage.workers[0].stop, 60.0)
    return monotonic_s() - started_s, code


async def join(stage: Stage) -> Ending:
    """Start a worker more, to which partitions move."""
    stage.start(2)
    return None


async def stand_still(stage: Stage) -> Ending:
    """SIGSTOP for longer than the session, then SIGCONT."""
    os.kill(stage.workers[0].pid, signal.SIGSTOP)
    await asyncio.sleep(SESSION_S + 3)
    os.kill(stage.workers[0].pid, signal.SIGCONT)
    await asyncio.sleep(1)
    stage.workers[0].ensure()
    return None


class Scene(NamedTuple):
    """What is done, and whether the workers are static members."""

    act: Callable[[Stage], Awaitable[Ending]]
    static: bool


SCENES: Mapping[str, Scene] = {
    "SIGTERM and restart": Scene(restart, static=False),
    "SIGTERM and restart, static": Scene(restart, static=True),
    "crash and restart": Scene(crash, static=False),
    "crash and restart, static": Scene(crash, static=True),
    "kill -9 and restart": Scene(kill, static=False),
    "kill -9 and restart, static": Scene(kill, static=True),
    "SIGSTOP past the session": Scene(stand_still, static=False),
    "a worker joins": Scene(join, static=False),
    "a worker leaves": Scene(leave, static=False),
}


async def measure(name: str, cluster: Settings) -> Gaps:
    """Play one scene on topics of its own."""
    scene, settings = SCENES[name], own_topics(cluster, partitions=PARTITIONS, session_timeout_s=SESSION_S)
    await create(settings)
    with tempfile.TemporaryDirectory(prefix="streamrec-bench-") as folder:
        stage = Stage(settings, Path(folder), scene.static, [])
        try:
            return await _play(stage, scene)
        finally:
            for worker in stage.workers:
                await asyncio.to_thread(worker.stop)


async def _play(stage: Stage, scene: Scene) -> Gaps:
    for number in range(2):
        stage.start(number)
    await _settled(stage, 2)
    async with beside(_load(stage.settings)):
        await asyncio.sleep(BEFORE_S)
        before, from_ms = [stage.owned(0), stage.owned(1)], now_ms()
        ending = await scene.act(stage)
        await _settled(stage, 1 if scene.act is leave else 2 if scene.act is not join else 3)
        await asyncio.sleep(AFTER_S)
        stayed = before[1] & stage.owned(1)
    gaps = await _gaps(stage.settings, from_ms)
    moved = {number: gap for number, gap in gaps.items() if number not in stayed}
    kept = {number: gap for number, gap in gaps.items() if number in stayed}
    seconds, code = ending or (None, None)
    return Gaps(max(moved.values(), default=0.0), max(kept.values(), default=None), seconds, code)


async def _settled(stage: Stage, owners: int, wait_s: float = 60.0) -> None:
    """Until all partitions are owned, by that many workers, for a second."""
    deadline, since_s = monotonic_s() + wait_s, 0.0
    while not since_s or monotonic_s() - since_s < 1.0:
        owned = [await asyncio.to_thread(stage.owned, number) for number in range(len(stage.workers))]
        whole = set().union(*owned) == set(range(PARTITIONS)) and sum(map(bool, owned)) == owners
        since_s = (since_s or monotonic_s()) if whole else 0.0
        if monotonic_s() > deadline:
            last = [worker.last_line() for worker in stage.workers]
            raise StateError(f"the partitions were not all owned within {wait_s:.0f} s: {owned}; {last}")
        await asyncio.sleep(0.1)


async def _load(settings: Settings) -> None:
    async with producer(settings, linger_ms=5) as sending:
        number, started_s = 0, monotonic_s()
        while True:
            while number < (monotonic_s() - started_s) * PER_S:
                user = f"u{number % USERS}"
                value = orjson.dumps({"user_id": user, "article_id": "a", "action": "click", "at_ms": now_ms()})
                await sending.send(settings.topic("events"), key=user.encode(), value=value)
                number += 1
            await asyncio.sleep(0.01)


async def _gaps(settings: Settings, from_ms: int) -> dict[int, float]:
    """By partition: the longest time between commits, from the last one before `from_ms` on."""
    found = {}
    async with KafkaLog(settings).reader() as reader:
        for number in range(settings.partitions):
            records = await read_all(reader, changelog_topic(settings), number)
            times = [record.timestamp for record in records if record.key == CURSOR_KEY]
            first = max((at for at in range(len(times)) if times[at] <= from_ms), default=0)
            steps = [later - sooner for sooner, later in zip(times[first:], times[first + 1 :], strict=False)]
            found[number] = max(steps, default=0) / 1000
    return found
