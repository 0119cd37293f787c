"""What the embedded broker is told: server.properties and log4j2, and which ports it gets.

Each node is broker and controller (KRaft), on loopback only. Limits a user could run into are Kafka's own defaults
(`message.max.bytes`, `transaction.max.timeout.ms`): what works here works on a real cluster, and what does not, shows.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ...errors import KafkaError
from ..ports import HOST
from .secured import Secured, listeners

FIXED: Mapping[str, str | int] = {
    "process.roles": "broker,controller",
    "controller.listener.names": "CONTROLLER",
    # a producer that names a missing topic must fail, not get one with the wrong settings
    "auto.create.topics.enable": "false",
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.num.partitions": 4,
    "share.coordinator.state.topic.num.partitions": 1,
    # a demo has one worker: nobody to wait for
    "group.initial.rebalance.delay.ms": 0,
    "group.min.session.timeout.ms": 500,  # fault tests use short sessions
    # After kill -9 the old registration must expire before the restarted broker may register: as short as may be. But a
    # broker that only stood still for longer than this fences itself, though nobody could take over.
    "broker.session.timeout.ms": 4000,
    "broker.heartbeat.interval.ms": 250,
    # an abandoned transaction is looked for every 10 s by default; sessions of 1-15 s want it sooner
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
    "transaction.max.timeout.ms": 900_000,  # Kafka's default, and the upper bound of transaction_timeout_s
    "message.max.bytes": 1_048_588,  # Kafka's default
    # memory and threads for a laptop
    "log.cleaner.dedupe.buffer.size": 16_777_216,
    "log.cleaner.threads": 1,
    "num.network.threads": 2,
    "num.io.threads": 4,
    "background.threads": 2,
    "num.recovery.threads.per.data.dir": 2,
}

CONFIG = "server.properties"

LOG4J2 = """\
Configuration:
  status: warn
  Appenders:
    Console: {name: out, target: SYSTEM_OUT, PatternLayout: {pattern: "%d{HH:mm:ss.SSS} %p %c{1} %m%n%ex{short}"}}
    File: {name: acls, fileName: authorizer.log, createOnDemand: true, PatternLayout: {pattern: "%m%n"}}
  Loggers:
    Root: {level: warn, AppenderRef: {ref: out}}
    Logger:
      - {name: kafka.server.KafkaRaftServer, level: info}
      - {name: kafka.authorizer.logger, level: debug, additivity: false, AppenderRef: {ref: acls}}  # who used which ACL
"""


class Node(NamedTuple):
    """One of the nodes of a cluster, or the only one: its number, from 1 on, and the controller ports of all."""

    number: int
    controller_ports: Sequence[int]

    @property
    def controller_port(self) -> int:
        """Its own."""
        return self.controller_ports[self.number - 1]

    def config(self) -> dict[str, str | int]:
        """Who votes, and a copy of everything on each node, of which one may be away.

        A single node knows from its data that it votes. Several are listed here, so that they find each other when
        their data are started on other ports.
        """
        copies = len(self.controller_ports)
        in_sync = max(1, copies - 1)
        addresses = [f"{HOST}:{port}" for port in self.controller_ports]
        voters = ",".join(f"{number}@{address}" for number, address in enumerate(addresses, 1))
        quorum = {"bootstrap.servers": addresses[0]} if copies == 1 else {"voters": voters}
        return {
            "node.id": self.number,
            **{f"controller.quorum.{name}": value for name, value in quorum.items()},
            "default.replication.factor": copies,
            "min.insync.replicas": in_sync,
            "offsets.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": in_sync,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": in_sync,
        }


class Detour(NamedTuple):
    """Ports of clients that come through a proxy: where the broker listens for it, and which one they are told.

    For a broker without secured listeners.
    """

    listens: int
    advertised: int

    def config(self) -> dict[str, str]:
        """What the broker must know of this listener besides."""
        return {"listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,DETOUR:PLAINTEXT,CONTROLLER:PLAINTEXT"}


def write_config(
    folder: Path,
    port: int,
    node: Node,
    secured: Secured | None = None,
    more_ports: Mapping[str, int] = {},
    detour: Detour | None = None,
) -> Path:
    """Write both files into `folder`; returns the path of server.properties. `more_ports`: of secured listeners."""
    ports = {"PLAINTEXT": port, **more_ports}
    settings = {
        **FIXED,
        **node.config(),
        **(secured.config() if secured else {}),
        **(detour.config() if detour else {}),
        "listeners": listeners(
            ports | {"CONTROLLER": node.controller_port} | ({"DETOUR": detour.listens} if detour else {})
        ),
        "advertised.listeners": listeners(ports | ({"DETOUR": detour.advertised} if detour else {})),
        "log.dirs": str(folder / "data"),
    }
    (folder / "log4j2.yaml").write_text(LOG4J2)
    path = folder / CONFIG
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return path


def port_taken(port: int) -> KafkaError:
    """What to say when the port asked for is in use."""
    return KafkaError(
        f"port {port} is taken, so the embedded broker cannot listen on it; ask for another, or for 0 (any free one), "
        f"or, if a Kafka cluster answers there, set STREAMREC_BROKERS={HOST}:{port} to use it"
    )
