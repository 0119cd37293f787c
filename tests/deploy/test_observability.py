"""Alerts and dashboards name only what is exported, and each alert has a runbook heading."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from streamrec.contracts.control import CONTROL_ACTIONS
from streamrec.contracts.event import ACTIONS
from streamrec.contracts.records import REJECT_REASONS
from streamrec.engine.policy.suppression_reasons import SUPPRESSION_REASONS
from streamrec.models.canary import ROLLBACK_REASONS
from streamrec.observability.metrics import (
    FETCH_OUTCOMES,
    FIELDS,
    HOLD_REASONS,
    INPUT_TOPICS,
    OUTCOMES,
    PRIORITIES,
    RELOAD_OUTCOMES,
    SIDES,
    STAGES,
    TRIGGERS,
    Metrics,
    process_registry,
)
from streamrec.settings import load

ROOT = Path(__file__).parents[2]
SCRAPE: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
GROUPS: list[dict[str, Any]] = yaml.safe_load((ROOT / "deploy/prometheus/alerts.yml").read_text())["groups"]
ALERTS: list[dict[str, Any]] = [rule for group in GROUPS for rule in group["rules"]]
ALERT_TESTS: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/alerts_test.yml").read_text())
PANELS: list[dict[str, Any]] = json.loads((ROOT / "deploy/grafana/dashboards/streamrec.json").read_text())["panels"]
RUNBOOK = "{{ $externalLabels.runbook }}"
EXPRESSIONS = [rule["expr"] for rule in ALERTS] + [target["expr"] for panel in PANELS for target in panel["targets"]]

LABELS: dict[str, set[str] | None] = {  # None: any value; job and instance are Prometheus's own
    "action": set(ACTIONS) | set(CONTROL_ACTIONS),
    "kind": {"retract", "correct"},
    "status": set(OUTCOMES),
    "trigger": set(TRIGGERS),
    "priority": set(PRIORITIES),
    "reason": set(SUPPRESSION_REASONS) | set(REJECT_REASONS) | set(ROLLBACK_REASONS) | set(HOLD_REASONS),
    "outcome": {*RELOAD_OUTCOMES, *FETCH_OUTCOMES},
    "topic": set(INPUT_TOPICS),
    "field": {field for fields in FIELDS.values() for field in fields},
    "stage": set(STAGES),
    "side": set(SIDES),
    "job": {"streamrec", "streamrec.*", "$job"},
    "partition": None,
    "instance": None,
    "le": None,
}


def exported() -> set[str]:
    """Every series name a scrape can hold."""
    registry = process_registry()
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
    named = set(re.findall(r"\b(?:streamrec|process)_\w+|\bup\b", expression))
    assert named
    assert named <= exported() | {"up"}


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_has_its_runbook_heading(rule: dict[str, Any]) -> None:
    """Who is woken finds the page."""
    text = (ROOT / "deploy/RUNBOOK.md").read_text()
    assert f"## {rule['alert']}\n" in text
    assert rule["annotations"]["runbook_url"] == f"{RUNBOOK}#{rule['alert'].lower()}"
    assert "runbook" in SCRAPE["global"]["external_labels"]


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_each_alert_has_a_case_for_firing_and_one_for_silence(rule: dict[str, Any]) -> None:
    """Promtool runs these cases; an alert without them, or with another text, was never seen to fire."""
    cases = [
        check
        for test in ALERT_TESTS["tests"]
        for check in test["alert_rule_test"]
        if check["alertname"] == rule["alert"]
    ]
    fired = [alert for check in cases for alert in check["exp_alerts"]]
    assert fired
    assert any(not check["exp_alerts"] for check in cases)
    for alert in fired:
        linked = rule["annotations"]["runbook_url"].replace(RUNBOOK, "https://runbooks.test/RUNBOOK.md")
        assert alert["exp_annotations"] == rule["annotations"] | {"runbook_url": linked}
        assert alert["exp_labels"]["severity"] == rule["labels"]["severity"]


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_no_alert_mixes_deployments(rule: dict[str, Any]) -> None:
    """What is summed up is summed by job: the sound half of a Prometheus would hide the other, or be paged for it."""
    grouped = re.findall(r"\b(?:sum|max|min|count|avg)\b\s*(by\s*\([^)]*\))?", rule["expr"])
    assert all(re.match(r"by\s*\(job\b", group) for group in grouped)
    assert "on ()" not in rule["expr"]


@pytest.mark.skipif(shutil.which("promtool") is None, reason="no promtool (of Debian's package prometheus)")
def test_alerts_fire_and_are_silent_as_their_cases_say() -> None:
    """Prometheus's own evaluation of them."""
    ended = subprocess.run(
        ["promtool", "test", "rules", "alerts_test.yml"],
        check=False,
        cwd=ROOT / "deploy/prometheus",
        capture_output=True,
        text=True,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


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


def test_pages_and_tickets_have_a_receiver() -> None:
    """Alertmanager's example tells apart the severities there are, and holds back only alerts that exist."""
    example: dict[str, Any] = yaml.safe_load((ROOT / "deploy/prometheus/alertmanager.yml").read_text())
    assert {rule["labels"]["severity"] for rule in ALERTS} == {"page", "ticket"}
    receivers = {receiver["name"] for receiver in example["receivers"]}
    assert {example["route"]["receiver"], *(route["receiver"] for route in example["route"]["routes"])} == receivers
    matchers = [rule[side] for rule in example["inhibit_rules"] for side in ("source_matchers", "target_matchers")]
    named = {name for (text,) in matchers for name in text.partition('"')[2].rstrip('"').split("|")}
    assert named <= {rule["alert"] for rule in ALERTS}
    targets = SCRAPE["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"]
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert all(target.partition(":")[0] in services for target in targets)


def test_prometheus_scrapes_every_worker_and_loads_the_alerts() -> None:
    """It asks the network for all containers of the service, at the port of their pages; the rule file is mounted."""
    services: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    (config,) = SCRAPE["scrape_configs"]
    (found,) = config["dns_sd_configs"]
    assert found["type"] == "A"
    for service in found["names"]:
        assert load(services[service]["environment"]).web_port == found["port"]
        assert [published.rpartition(":")[2] for published in services[service]["ports"]] == [str(found["port"])]
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


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_panels_show_units_and_names(panel: dict[str, Any]) -> None:
    """A number without a unit, or a line without a name, is read wrong at night."""
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert all(target["legendFormat"] for target in panel["targets"])


def test_every_series_is_on_the_dashboard_or_in_an_alert() -> None:
    """What is measured is shown somewhere; `_sum` and `_count` of a histogram belong to its buckets."""
    text = " ".join(EXPRESSIONS)
    families = {re.sub(r"_(bucket|sum|count)$", "", name) for name in exported() if name.startswith("streamrec_")}
    assert {family for family in families if family not in text} == set()
