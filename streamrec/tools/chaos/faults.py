"""What goes wrong in a run on a real cluster, by name. Each is a coroutine that does its harm and puts things right."""

import asyncio
import signal
from functools import partial

from ..local_kafka.cluster import LocalCluster
from .broker_faults import of_brokers
from .scene import SESSION_S, Fault, Scene

START_S = 30.0  # at most, of a worker


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


async def end_in_recovery(scene: Scene) -> None:
    """Of four workers one is killed, and while others take its partitions over and recover them, another one is."""
    while len(scene.fleet.wanted) < 4:
        scene.fleet.join()
    for _ in range(2):
        await scene.pause(0.5, 3)
        first = scene.someone()
        scene.fleet.signal(first, signal.SIGKILL)
        await scene.fleet.until_others_move(first, 2 * SESSION_S)
        scene.fleet.signal(scene.someone(), signal.SIGKILL)


async def mix(scene: Scene) -> None:
    """Three of the other faults, one after the other."""
    faults = [fault for name, fault in available(scene.cluster).items() if name != "mix"]
    for at in scene.rng.choice(len(faults), 3, replace=False).tolist():
        await faults[at](scene)


OF_WORKERS: dict[str, Fault] = {
    "kill": partial(end_workers, how=signal.SIGKILL),
    "terminate": partial(end_workers, how=signal.SIGTERM),
    "join_and_leave": join_and_leave,
    "stand_still": stand_still,
    "outage": outage,
    "end_in_recovery": end_in_recovery,
}


def available(cluster: LocalCluster | None) -> dict[str, Fault]:
    """Faults by name; those of brokers only if they are ours to harm."""
    return {**OF_WORKERS, **of_brokers(len(cluster.nodes) if cluster else 0), "mix": mix}
