"""What tests that start a broker of their own share."""

import os
from pathlib import Path

import pytest

from streamrec.errors import KafkaError
from streamrec.settings import load
from streamrec.tools.local_kafka.jars import default_cache, resolve_jars


@pytest.fixture(scope="session")
def jars() -> Path:
    """The cache folder, filled; where that cannot be: a failure in CI, a skip elsewhere."""
    cache = load().kafka_cache or default_cache()
    try:
        resolve_jars(cache)
    except KafkaError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no jars: {error}")
    return cache
