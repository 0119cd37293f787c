"""Alerts and dashboards name only what is exported, and each alert has a runbook heading."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from streamrec.metrics import Metrics
from streamrec.policy.reasons import SUPPRESSION_REASONS

ROOT = Path(__file__).parents[2]
ALERTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"][0]["rules"]
PANELS: list[dict[str, Any]] = json.loads((ROOT / "deploy/grafana/dashboards/streamrec.json").read_text())["panels"]
EXPRESSIONS = [rule["expr"] for rule in ALERTS] + [target["expr"] for panel in PANELS for target in panel["targets"]]


def exported() -> set[str]:
    """Every series name a scrape can hold."""
    registry = CollectorRegistry()
    Metrics(registry, SUPPRESSION_REASONS)
    names: set[str] = set()
    for family in registry.collect():
        suffixes = {
            "counter": ["_total"],
            "histogram": ["_bucket", "_sum", "_count"],
            "info": ["_info"],
        }.get(family.type, [""])
        names |= {family.name + suffix for suffix in suffixes}
    return names


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_only_exported_series(expression: str) -> None:
    """A renamed metric breaks this test instead of an alert at night."""
    named = set(re.findall(r"\bstreamrec_\w+", expression))
    assert named <= exported()
    assert named or expression.startswith("up{")


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_has_its_runbook_heading(rule: dict[str, Any]) -> None:
    """Who is woken finds the page."""
    text = (ROOT / "deploy/RUNBOOK.md").read_text()
    assert f"## {rule['alert']}\n" in text
    assert rule["annotations"]["runbook"] == f"deploy/RUNBOOK.md#{rule['alert'].lower()}"
