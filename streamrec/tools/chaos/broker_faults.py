"""What goes wrong with brokers in a run on a Kafka of its own, by name; with three, any one may be away.

What is written goes to the machine's page cache, which SIGKILL does not empty: no power cut is played here.
"""

import asyncio
import resource
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError as ClientError

from ...clock import monotonic_s
from ...errors import KafkaError
from ...kafka.reaching import reached
from ...kafka.topics import TRANSACTIONS
from ...settings import Settings
from ..local_kafka.config import FIXED
from ..local_kafka.process import LocalKafka
from .scene import Fault, Scene

BROKER_SESSION_S = int(FIXED["broker.session.timeout.ms"]) / 1000
IN_SYNC_S, ANSWER_S = 180.0, 60.0
FULL_S = 30.0  # at most, until a broker has met its full disk


async def _die(scene: Scene, nodes: Sequence[LocalKafka]) -> None:
    """SIGKILL, and a start on the same data after a while."""
    for node in nodes:
        await asyncio.to_thread(node.kill)
    await scene.pause(0, 3)
    await asyncio.to_thread(scene.ours.restart)


async def broker_dies(scene: Scene) -> None:
    """Kill a broker by SIGKILL and start it again on the same data."""
    await scene.pause(0.5, 3)
    await _die(scene, [scene.broker()])


async def slow_broker(scene: Scene) -> None:
    """Stop a broker for moments, so that it answers in fits and starts."""
    node = scene.broker()
    for _ in range(6):
        await scene.pause(0.2, 1)
        await _stand_still(scene, node, (0.2, 2))


async def everything_restarts(scene: Scene) -> None:
    """Kill all workers and brokers at once; all are started again."""
    await scene.pause(0.5, 3)
    for number in sorted(scene.fleet.wanted):
        scene.fleet.signal(number, signal.SIGKILL)
    await asyncio.to_thread(scene.ours.kill)
    await asyncio.to_thread(scene.ours.restart)


async def controller_dies(scene: Scene) -> None:
    """Kill the node that is the active controller, twice; the next is another one, as a rule."""
    for _ in range(2):
        await scene.pause(0.5, 3)
        await _die(scene, [await asyncio.to_thread(scene.ours.active_controller)])


async def coordinator_dies(scene: Scene) -> None:
    """Kill the node that decides the transactions of some partition, twice."""
    for _ in range(2):
        await scene.pause(0.5, 3)
        name = f"{scene.settings.group_id}-{scene.rng.integers(scene.settings.partitions)}-{scene.rng.integers(2)}"
        await _die(scene, [scene.ours.nodes[await _coordinator(scene.settings, name) - 1]])


async def majority_dies(scene: Scene) -> None:
    """Kill two of three: nothing can be written, and no controller chosen, until one is back."""
    await scene.pause(0.5, 3)
    spared = scene.broker()
    await _die(scene, [node for node in scene.ours.nodes if node is not spared])


async def broker_stands_still(scene: Scene) -> None:
    """SIGSTOP for longer than its session, then SIGCONT: a broker that still believes it leads."""
    await scene.pause(0.5, 3)
    await _stand_still(scene, scene.broker(), (1.5 * BROKER_SESSION_S, 3 * BROKER_SESSION_S))


async def rolling_restart(scene: Scene) -> None:
    """Each broker is stopped and started in turn, as an upgrade does it: the next when all copies are in sync."""
    for node in scene.ours.nodes:
        await asyncio.to_thread(node.restart)
        await asyncio.to_thread(scene.ours.restart)
        await _in_sync(scene.settings)


async def disk_full(scene: Scene) -> None:
    """No file of a broker can grow any more, until it has ended over it; then it is started with room again."""
    await scene.pause(0.5, 3)
    node = scene.broker()
    _, most = resource.prlimit(node.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(node.pid, resource.RLIMIT_FSIZE, (0, most))
    await asyncio.to_thread(node.wait_ended, FULL_S)
    await _die(scene, [node])


async def _stand_still(scene: Scene, node: LocalKafka, between_s: tuple[float, float]) -> None:
    node.pause()
    try:
        await scene.pause(*between_s)
    finally:
        node.resume()


async def _asked(settings: Settings, question: Callable[[AIOKafkaAdminClient], Awaitable[Any]]) -> Any:
    """What the cluster answers, asked again while it cannot: leaders move."""
    deadline = monotonic_s() + ANSWER_S
    while True:
        async with reached(settings) as admin:
            try:
                return await question(admin)
            except (ClientError, OSError) as error:
                if monotonic_s() > deadline:
                    raise KafkaError(f"the brokers did not answer within {ANSWER_S:.0f} s: {error!r}") from error
        await asyncio.sleep(0.5)


async def _coordinator(settings: Settings, name: str) -> int:
    return int(await _asked(settings, lambda admin: admin.find_coordinator(name, TRANSACTIONS)))


async def _in_sync(settings: Settings) -> None:
    deadline = monotonic_s() + IN_SYNC_S
    while True:
        topics = await _asked(settings, lambda admin: admin.describe_topics())
        found = [partition for topic in topics for partition in topic["partitions"]]
        behind = sum(len(partition["isr"]) < len(partition["replicas"]) for partition in found)
        if not behind:
            return
        if monotonic_s() > deadline:
            raise KafkaError(f"{behind} of {len(found)} partitions were not in sync within {IN_SYNC_S:.0f} s")
        await asyncio.sleep(0.5)


OF_A_BROKER: dict[str, Fault] = {
    "broker_dies": broker_dies,
    "slow_broker": slow_broker,
    "everything_restarts": everything_restarts,
}
OF_ONE_IN_THREE: dict[str, Fault] = {
    "controller_dies": controller_dies,
    "coordinator_dies": coordinator_dies,
    "majority_dies": majority_dies,
    "broker_stands_still": broker_stands_still,
    "rolling_restart": rolling_restart,
    "disk_full": disk_full,
}


def of_brokers(nodes: int) -> dict[str, Fault]:
    """Faults by name, for so many brokers that are ours."""
    return {**(OF_A_BROKER if nodes else {}), **(OF_ONE_IN_THREE if nodes > 1 else {})}
