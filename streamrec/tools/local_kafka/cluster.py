"""Nodes that form one cluster: started and stopped together, and each killed, paused and started again by itself.

    with local_cluster(3) as cluster:
        cluster.nodes[0].kill()             # the others go on
        cluster.active_controller().kill()  # another is chosen; then a third one is needed again
        cluster.restart()                   # what is down, on the same data and ports

With three nodes everything has three copies and a write needs two: any one may be away.
"""

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from ...clock import monotonic_s
from ...errors import KafkaError
from .process import LocalKafka, answers, brokers_known

QUORUM_STATE = "data/__cluster_metadata-0/quorum-state"  # of a node: whom it follows, and since which election


class LocalCluster:
    """Running nodes. Made by `local_cluster`, which also stops them."""

    def __init__(self, nodes: Sequence[LocalKafka], wait_s: float) -> None:
        self.nodes, self._wait_s = tuple(nodes), wait_s

    @property
    def bootstrap(self) -> str:
        """Bootstrap servers: all of them."""
        return ",".join(node.bootstrap for node in self.nodes)

    def start(self) -> None:
        """Start all at once, since none answers before most are there, and wait until each knows of all."""
        self._at_once(LocalKafka.start, self.nodes)
        self._wait_known()

    def restart(self) -> None:
        """Start again those that do not answer."""
        self._at_once(LocalKafka.restart, [node for node in self.nodes if not answers(node.port)])
        self._wait_known()

    def check(self) -> None:
        """Raise KafkaError if a node has ended."""
        for node in self.nodes:
            node.check()

    def kill(self) -> None:
        """SIGKILL for all; their data stay for `restart`."""
        for node in self.nodes:
            node.kill()

    def stop(self) -> None:
        """SIGTERM for all at once, then SIGKILL for those that take longer than 10 s."""
        self._at_once(LocalKafka.stop, self.nodes)

    def active_controller(self) -> LocalKafka:
        """The node that the last election chose, as the nodes have noted it; an election under way is waited for."""
        deadline = monotonic_s() + self._wait_s
        while True:
            states = [json.loads((node.folder / QUORUM_STATE).read_text()) for node in self.nodes]
            _, leader = max((int(state["leaderEpoch"]), int(state["leaderId"])) for state in states)
            if leader > 0:
                return self.nodes[leader - 1]
            if monotonic_s() > deadline:
                raise KafkaError(f"the embedded Kafka chose no active controller within {self._wait_s:g} s")
            time.sleep(0.05)

    def _wait_known(self) -> None:
        deadline = monotonic_s() + self._wait_s
        while len(self.nodes) > 1 and any(brokers_known(node.port) < len(self.nodes) for node in self.nodes):
            self.check()
            if monotonic_s() > deadline:
                raise KafkaError(f"the {len(self.nodes)} nodes of the embedded Kafka did not find each other in time")
            time.sleep(0.05)

    @staticmethod
    def _at_once(do: Callable[[LocalKafka], None], nodes: Sequence[LocalKafka]) -> None:
        with ThreadPoolExecutor(max(1, len(nodes))) as pool:
            list(pool.map(do, nodes))
