"""A broker that clients reach through a proxy, one for each file that asks for it."""

from collections.abc import Iterator

import pytest

from streamrec.settings import load
from streamrec.tools.local_kafka.config import Detour
from streamrec.tools.local_kafka.local_kafka import local_kafka
from streamrec.tools.ports import free_port


@pytest.fixture(scope="module")
def detour() -> Iterator[tuple[Detour, str]]:
    """A broker with a listener for clients that come through a proxy, and its address for all others."""
    detour = Detour(free_port(), free_port())
    with local_kafka(load().kafka_cache, detour=detour) as kafka:
        yield detour, kafka.bootstrap
