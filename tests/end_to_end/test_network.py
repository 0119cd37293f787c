"""Workers that reach their broker through a network which breaks connections and delivers late what it held."""

import asyncio
from pathlib import Path

import pytest

from streamrec.cli.chaos import NETWORKS
from streamrec.settings import load
from streamrec.tools.chaos.cluster_requests import CLICKS_OF_ERASED
from streamrec.tools.chaos.cluster_run import cluster_run
from streamrec.tools.chaos.network_faults import FAMILIES
from streamrec.tools.local_kafka.config import Detour
from streamrec.tools.local_kafka.local_kafka import at_local, local_cluster
from streamrec.tools.ports import free_port

pytestmark = pytest.mark.kafka


def test_commits_that_come_late_do_no_harm(tmp_path: Path) -> None:
    """No push lost or doubled, no dead letter lost, and no worker ends over it."""
    with local_cluster(1, load().kafka_cache, detour=Detour(free_port(), free_port())) as cluster:
        settings = at_local(load({}, kafka_cache=load().kafka_cache), cluster)
        outcome = asyncio.run(cluster_run(settings, cluster, 1, tmp_path, events=2500, network="late_commits"))
    logs = "".join(log.read_text() for log in tmp_path.glob("worker-*.log"))
    assert outcome.verdict.found == []
    assert outcome.verdict.events == 2500 + CLICKS_OF_ERASED
    assert outcome.verdict.pushes > 100
    assert outcome.exits == {}
    assert logs.count("a commit was not answered") > 10


def test_the_command_names_all_families() -> None:
    """Its choices are said where importing costs nothing."""
    assert tuple(FAMILIES) == NETWORKS
