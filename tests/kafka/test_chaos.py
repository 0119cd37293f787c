"""Real workers on a real broker under faults, judged as `streamrec chaos --runs` judges them."""

import asyncio
from pathlib import Path

import pytest

from streamrec.chaos.cluster_run import cluster_run
from streamrec.chaos.faults import available
from streamrec.settings import Settings

pytestmark = pytest.mark.kafka


@pytest.mark.parametrize("name", ["kill", "terminate", "stand_still"])
def test_a_run_under_faults_keeps_every_promise(settings_for_test: Settings, name: str, tmp_path: Path) -> None:
    """Nothing lost, doubled, or pushed against the policy, whoever dies; a zombie ends."""
    faults = list(available(own_broker=False))
    seed = faults.index(name) + 10 * len(faults)
    outcome = asyncio.run(cluster_run(settings_for_test, None, seed, tmp_path, events=2500))
    assert outcome.fault == name
    assert outcome.verdict.found == []
    assert outcome.verdict.events == 2500
    assert outcome.verdict.pushes > 100
    assert sum(outcome.exits.values()) >= 1
