"""Which faults a real run may choose from, and how those of brokers find whom they harm."""

import json
from pathlib import Path

import pytest

from streamrec.errors import KafkaError
from streamrec.tools.chaos.broker_faults import OF_A_BROKER, OF_ONE_IN_THREE
from streamrec.tools.chaos.faults import OF_WORKERS, available
from streamrec.tools.local_kafka.cluster import QUORUM_STATE, LocalCluster
from streamrec.tools.local_kafka.config import Node
from streamrec.tools.local_kafka.process import LocalKafka


def not_started(folder: Path, nodes: int, wait_s: float = 0.0) -> LocalCluster:
    """Nodes with folders of their own and no process."""
    made = []
    for number in range(1, nodes + 1):
        own = folder / f"node-{number}"
        (own / QUORUM_STATE).parent.mkdir(parents=True)
        node = Node(number, range(7001, 7001 + nodes))
        made.append(LocalKafka(Path("java"), [], own, 20_000 + number, node, wait_s, cluster_id="A" * 22))
    return LocalCluster(made, wait_s)


def note(cluster: LocalCluster, states: list[tuple[int, int]]) -> None:
    """Whom each node follows, and since which election."""
    for node, (leader, epoch) in zip(cluster.nodes, states, strict=True):
        (node.folder / QUORUM_STATE).write_text(json.dumps({"leaderId": leader, "leaderEpoch": epoch}))


def test_brokers_that_are_not_ours_are_left_alone(tmp_path: Path) -> None:
    """One of ours can die; that one of three dies while the others go on needs three."""
    assert set(available(None)) == {*OF_WORKERS, "mix"}
    assert set(available(not_started(tmp_path / "one", 1))) == {*OF_WORKERS, *OF_A_BROKER, "mix"}
    three = available(not_started(tmp_path / "three", 3))
    assert set(three) == {*OF_WORKERS, *OF_A_BROKER, *OF_ONE_IN_THREE, "mix"}


def test_the_active_controller_is_that_of_the_last_election(tmp_path: Path) -> None:
    """A node that was down still notes the one before."""
    cluster = not_started(tmp_path, 3)
    note(cluster, [(1, 4), (3, 6), (3, 6)])
    assert cluster.active_controller() is cluster.nodes[2]


def test_an_election_without_end_is_told(tmp_path: Path) -> None:
    """While the last election has chosen nobody, nobody is the active controller, and least of all the one before."""
    cluster = not_started(tmp_path, 3)
    note(cluster, [(1, 4), (-1, 7), (-1, 7)])
    with pytest.raises(KafkaError, match="chose no active controller"):
        cluster.active_controller()
