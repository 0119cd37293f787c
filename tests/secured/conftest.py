"""One broker with TLS, SASL and ACLs for the tests of this folder."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from secured_kafka import SecuredKafka, secured_kafka

from streamrec.errors import KafkaError


@pytest.fixture(scope="session")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """The broker; where none can be had: a failure in CI, a skip elsewhere."""
    try:
        with secured_kafka(tmp_path_factory.mktemp("secured")) as kafka:
            yield kafka
    except KafkaError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no broker: {error}")


@pytest.fixture
def names() -> dict[str, str]:
    """Names of topics and group that no other test has."""
    name = f"t{uuid.uuid4().hex[:10]}"
    return {"topic_prefix": f"{name}.", "app_id": f"app-{name}"}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where a worker's log goes."""
    return tmp_path / "worker.log"
