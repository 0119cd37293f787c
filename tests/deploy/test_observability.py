"""Alerts and dashboards name only what is exported, and each alert has a runbook heading."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from streamrec.contracts.event import ACTIONS
from streamrec.contracts.records import REJECT_REASONS
from streamrec.metrics import INPUT_TOPICS, PRIORITIES, STAGES, STATUSES, TRIGGERS, Metrics
from streamrec.policy.reasons import SUPPRESSION_REASONS

ROOT = Path(__file__).parents[2]
SCRAPE: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
GROUPS: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
ALERTS: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
PANELS: list[dict[str, Any]] = json.loads((ROOT / "deploy/grafana/dashboards/streamrec.json").read_text())["panels"]
EXPRESSIONS = [rule["expr"] for rule in ALERTS] + [target["expr"] for panel in PANELS for target in panel["targets"]]

LABELS: dict[str, set[str] | None] = {  # None: any value; job and instance are Prometheus's own
    "action": set(ACTIONS),
    "status": set(STATUSES),
    "trigger": set(TRIGGERS),
    "priority": set(PRIORITIES),
    "reason": set(SUPPRESSION_REASONS) | set(REJECT_REASONS),
    "topic": set(INPUT_TOPICS),
    "stage": set(STAGES),
    "job": {config["job_name"] for config in SCRAPE["scrape_configs"]},
    "partition": None,
    "instance": None,
    "le": None,
}


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


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_only_labels_that_exist(expression: str) -> None:
    """A label or a value that no series carries makes an expression silently empty."""
    grouped = {label.strip() for names in re.findall(r"\bby\s*\(([^)]*)\)", expression) for label in names.split(",")}
    assert grouped <= set(LABELS)
    for inside in re.findall(r"\{([^}]*)\}", expression):
        for label, value in re.findall(r'(\w+)\s*=~?\s*"([^"]*)"', inside):
            values = LABELS[label]
            assert values is None or set(value.split("|")) <= values


def test_runbook_has_no_orphans() -> None:
    """A heading without an alert is a page nobody is sent to."""
    headings = re.findall(r"^## (\w+)$", (ROOT / "deploy/RUNBOOK.md").read_text(), re.MULTILINE)
    assert sorted(headings) == sorted(rule["alert"] for rule in ALERTS)


def test_prometheus_scrapes_the_worker_and_loads_the_alerts() -> None:
    """Target, port and rule file are those of the compose file."""
    services: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    targets = [
        target
        for config in SCRAPE["scrape_configs"]
        for entry in config["static_configs"]
        for target in entry["targets"]
    ]
    for target in targets:
        service, _, port = target.partition(":")
        assert any(published.endswith(f":{port}") for published in services[service]["ports"])
    mounted = [volume.split(":")[1] for volume in services["prometheus"]["volumes"]]
    assert all(f"/etc/prometheus/{name}" in mounted for name in SCRAPE["rule_files"])


def test_grafana_finds_its_dashboard_and_its_data() -> None:
    """Panels read from the provisioned data source, and the folder of dashboards is mounted where Grafana looks."""
    provisioning = ROOT / "deploy/grafana/provisioning"
    sources = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())["datasources"]
    assert {panel["datasource"]["uid"] for panel in PANELS} <= {source["uid"] for source in sources}
    providers = yaml.safe_load((provisioning / "dashboards/streamrec.yml").read_text())["providers"]
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    mounted = {volume.split(":")[1] for volume in services["grafana"]["volumes"]}
    assert {provider["options"]["path"] for provider in providers} <= mounted
