"""What goes wrong in a run on a real cluster, by name. Each is a coroutine that does its harm and puts things right."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from ..local_kafka.process import LocalKafka
from .fleet import Fleet

SESSION_S = 6.0
START_S = 30.0  # at most, of a worker


class Scene(NamedTuple):
    """What a fault can harm: workers, perhaps the broker, and chance to choose by."""

    fleet: Fleet
    kafka: LocalKafka | None  # None: a broker that is not ours is left alone
    rng: np.random.Generator

    def someone(self) -> int:
        """Number of a worker that is meant to run, by chance."""
        return int(self.rng.choice(sorted(self.fleet.wanted)))

    async def pause(self, low_s: float, high_s: float) -> None:
        """Wait between `low_s` and `high_s` seconds, by chance."""
        await asyncio.sleep(float(self.rng.uniform(low_s, high_s)))


async def end_workers(scene: Scene, how: signal.Signals) -> None:
    """End some worker by this signal, three times; its supervisor starts it again."""
    for _ in range(3):
        await scene.pause(0.5, 3)
        scene.fleet.signal(scene.someone(), how)


async def join_and_leave(scene: Scene) -> None:
    """A worker joins and leaves again, twice, so that partitions move."""
    for _ in range(2):
        new = scene.fleet.join()
        await scene.fleet.until_others_move(new, START_S)  # on a busy machine it takes seconds to come this far
        await scene.pause(0, 4)
        await scene.fleet.leave(new)


async def stand_still(scene: Scene) -> None:
    """SIGSTOP for longer than the session, then SIGCONT: a zombie with work in hand, just while others take over."""
    await scene.pause(0.5, 2)
    number = scene.someone()
    scene.fleet.signal(number, signal.SIGSTOP)
    await asyncio.sleep(SESSION_S)
    await scene.fleet.until_others_move(number, 2 * SESSION_S)
    await scene.pause(0, 1)
    scene.fleet.signal(number, signal.SIGCONT)


async def outage(scene: Scene) -> None:
    """No worker for a while: readers leave and read meanwhile, and nobody may be pushed to before that is applied."""
    await scene.pause(0.5, 2)
    gone = sorted(scene.fleet.wanted)
    for number in gone:
        await scene.fleet.leave(number)
    await scene.pause(3, 8)
    for _ in gone:
        scene.fleet.join()


async def broker_dies(scene: Scene) -> None:
    """Kill the broker by SIGKILL and start it again on the same data."""
    assert scene.kafka is not None
    await scene.pause(0.5, 3)
    await asyncio.to_thread(scene.kafka.kill)
    await scene.pause(0, 3)
    await asyncio.to_thread(scene.kafka.restart)


async def slow_broker(scene: Scene) -> None:
    """Stop the broker for moments, so that it answers in fits and starts."""
    assert scene.kafka is not None
    for _ in range(6):
        await scene.pause(0.2, 1)
        os.kill(scene.kafka.pid, signal.SIGSTOP)
        try:
            await scene.pause(0.2, 2)
        finally:
            os.kill(scene.kafka.pid, signal.SIGCONT)


async def everything_restarts(scene: Scene) -> None:
    """Kill all workers and the broker at once; both are started again."""
    assert scene.kafka is not None
    await scene.pause(0.5, 3)
    for number in sorted(scene.fleet.wanted):
        scene.fleet.signal(number, signal.SIGKILL)
    await asyncio.to_thread(scene.kafka.kill)
    await asyncio.to_thread(scene.kafka.restart)


async def mix(scene: Scene) -> None:
    """Three of the other faults, one after the other."""
    faults = [fault for name, fault in available(scene.kafka is not None).items() if name != "mix"]
    for at in scene.rng.choice(len(faults), 3, replace=False).tolist():
        await faults[at](scene)


Fault = Callable[[Scene], Awaitable[None]]
OF_WORKERS: dict[str, Fault] = {
    "kill": partial(end_workers, how=signal.SIGKILL),
    "terminate": partial(end_workers, how=signal.SIGTERM),
    "join_and_leave": join_and_leave,
    "stand_still": stand_still,
    "outage": outage,
}
OF_THE_BROKER: dict[str, Fault] = {
    "broker_dies": broker_dies,
    "slow_broker": slow_broker,
    "everything_restarts": everything_restarts,
}


def available(own_broker: bool) -> dict[str, Fault]:
    """Faults by name; those of the broker only if it is ours to harm."""
    return {**OF_WORKERS, **(OF_THE_BROKER if own_broker else {}), "mix": mix}
