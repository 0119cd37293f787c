"""One real broker for the whole test session, and settings that keep tests apart on it."""

import logging
import os
import uuid
from collections.abc import Iterator

import pytest
from hypothesis import settings as property_tests

from streamrec.errors import KafkaError
from streamrec.settings import Settings, load
from streamrec.tools.local_kafka.local_kafka import cluster_or_local

property_tests.register_profile("streamrec", deadline=None)  # machines are shared: a timed assertion is not a test
property_tests.load_profile("streamrec")

if "STREAMREC_DATA" in os.environ:  # for the tests alone: under its own name it would be a setting that is none
    os.environ["REAL_LOGS"] = os.environ.pop("STREAMREC_DATA")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that need a broker first, then those with slow tests: processes end together if what ends last is short."""
    marked = {mark: {item.path for item in items if item.get_closest_marker(mark)} for mark in ("kafka", "slow")}
    items.sort(key=lambda item: (item.path not in marked["kafka"], item.path not in marked["slow"]))


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Commands silence libraries for the life of their process; a test that runs one must not silence the next."""
    disabled, levels = logging.root.manager.disable, {logger: logger.level for logger in _loggers()}
    yield
    logging.disable(disabled)
    for logger in _loggers():
        if logger.level != levels.get(logger, logging.NOTSET):
            logger.setLevel(levels.get(logger, logging.NOTSET))


def _loggers() -> list[logging.Logger]:
    known = logging.root.manager.loggerDict.values()
    return [logging.root, *(logger for logger in known if isinstance(logger, logging.Logger))]


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """Bootstrap servers of a running broker; where none can be had: a failure in CI, a skip elsewhere."""
    try:
        with cluster_or_local(load()) as cluster:
            yield cluster.brokers
    except KafkaError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no broker: {error}")


@pytest.fixture
def topic_prefix() -> str:
    """A prefix no other test has."""
    return f"t{uuid.uuid4().hex[:10]}."


@pytest.fixture
def settings_for_test(kafka: str, topic_prefix: str) -> Settings:
    """Four partitions, topics, group and port of this test's own, nothing suppressed by the time of day."""
    return load(
        {},
        brokers=kafka,
        topic_prefix=topic_prefix,
        app_id=f"app-{topic_prefix[:-1]}",
        partitions=4,
        session_timeout_s=2.0,
        session_gap_s=0.0,
        quiet_from="00:00",
        quiet_to="00:00",
        web_port=0,  # the other process of the suite has workers too
    )
