"""WriteUncommitted on the sawtooth it is for: the value a process exports before it ends, and its successor after it.

Prometheus is not at hand here, so the rule's two numbers, window and wait, are evaluated as Prometheus does.
"""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from streamrec.settings import load

ROOT = Path(__file__).parents[2] / "deploy/prometheus"
RULES: list[dict[str, Any]] = yaml.safe_load((ROOT / "alerts.yml").read_text())["groups"][0]["rules"]
RULE = next(rule for rule in RULES if rule["alert"] == "WriteUncommitted")
CASES: list[dict[str, Any]] = [
    case
    for case in yaml.safe_load((ROOT / "alerts_test.yml").read_text())["tests"]
    if case["name"].startswith("WriteUncommitted")
]
SCRAPE_S, EVALUATE_S = 5, 15  # prometheus.yml
UNITS = {"s": 1, "m": 60}

Samples = dict[int, float]  # second -> value


def seconds(text: str) -> int:
    """Of 90s or 3m."""
    return int(text[:-1]) * UNITS[text[-1]]


def fires(samples: Samples, at_s: int, evaluate_s: int) -> bool:
    """Whether the rule fires at this second: true at every evaluation since `for` ago."""
    shape = re.fullmatch(r"max_over_time\(streamrec_oldest_uncommitted_seconds\[(\w+)\]\) > (\d+)", RULE["expr"])
    assert shape, RULE["expr"]
    window_s, limit = seconds(shape[1]), float(shape[2])
    since = None
    for now_s in range(0, at_s + 1, evaluate_s):
        seen = [value for second, value in samples.items() if now_s - window_s < second <= now_s]
        since = (since if since is not None else now_s) if seen and max(seen) > limit else None
    return since is not None and at_s - since >= seconds(RULE["for"])


def expanded(values: str, interval_s: int) -> Samples:
    """A series in promtool's notation."""
    found: list[float | None] = []
    for part in values.split():
        value, _, times = part.partition("x")
        found += [None] if value == "_" else [float(value)] * (int(times or 0) + 1)
    return {n * interval_s: value for n, value in enumerate(found) if value is not None}


def sawtooth(period_s: int, end_s: int, cycles: int, phase_s: int) -> Samples:
    """Writes that never end: the age grows to the limit, the process ends, and is away for the rest of the period."""
    limit_s = load({}).max_commit_age_s
    ages = {second: (second - phase_s) % period_s for second in range(0, end_s, SCRAPE_S)}
    stuck = range(phase_s, phase_s + cycles * period_s)
    return {
        second: float(age) if second in stuck else 0.0
        for second, age in ages.items()
        if second not in stuck or age <= limit_s
    }


@given(away_s=st.integers(5, 60), phase_s=st.integers(600, 660))
def test_a_broker_that_takes_no_writes_is_told_of(away_s: int, phase_s: int) -> None:
    """Whenever the scrapes fall, and however long the supervisor takes: within ten minutes."""
    samples = sawtooth(30 + away_s, 1500, 100, phase_s)
    assert any(fires(samples, at_s, EVALUATE_S) for at_s in range(phase_s, phase_s + 600, EVALUATE_S))


@pytest.mark.slow
@given(phase_s=st.integers(600, 660))
def test_one_process_that_ends_of_it_is_no_alert(phase_s: int) -> None:
    """The successor goes on: nobody is woken for what has healed."""
    samples = sawtooth(40, 1500, 1, phase_s)
    assert not any(fires(samples, at_s, EVALUATE_S) for at_s in range(0, 1500, EVALUATE_S))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_cases_for_promtool_say_the_same(case: dict[str, Any]) -> None:
    """Read as promtool reads them, evaluated each minute."""
    (series,) = case["input_series"]
    samples = expanded(series["values"], seconds(case["interval"]))
    for check in case["alert_rule_test"]:
        assert fires(samples, seconds(check["eval_time"]), 60) == bool(check["exp_alerts"]), check["eval_time"]
