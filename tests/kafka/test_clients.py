"""There is one place where Kafka clients are made."""

import ast
from pathlib import Path

import streamrec

PACKAGE = Path(streamrec.__file__).parent
CLIENTS = {"AIOKafkaProducer", "AIOKafkaConsumer", "AIOKafkaAdminClient", "AIOKafkaClient"}
# the baseline is aiokafka alone, and takes its connection from the same settings
MAKES_CLIENTS = {"kafka/clients.py", "tools/bench/raw_aiokafka.py"}


def makes_clients(source: str) -> bool:
    """Whether a client of aiokafka is constructed here, or a Faust app is told of brokers."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in CLIENTS or any(given.arg in {"bootstrap_servers", "broker"} for given in node.keywords):
                return True
    return False


def test_nobody_else_makes_clients() -> None:
    """A client made elsewhere would not know of TLS and passwords."""
    found = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if makes_clients(path.read_text("utf-8"))}
    assert found == MAKES_CLIENTS


def test_each_way_of_making_one_is_noticed() -> None:
    """By any name of the module, and by what a client is told."""
    assert makes_clients("aiokafka.AIOKafkaConsumer('topic')")
    assert makes_clients("from aiokafka import AIOKafkaProducer\nAIOKafkaProducer()")
    assert makes_clients("Other(bootstrap_servers='x')")
    assert makes_clients("faust.App('x', broker='kafka://x')")
    assert not makes_clients("def started(admin: AIOKafkaAdminClient) -> AIOKafkaConsumer: ...")
