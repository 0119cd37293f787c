"""The series a worker exports: closed label sets, and a bulk histogram that equals prometheus_client's."""

from collections.abc import Iterable
from typing import get_args, get_type_hints

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streamrec.contracts.event import ACTIONS
from streamrec.contracts.push import Push
from streamrec.contracts.records import REJECT_REASONS
from streamrec.observability.histogram import BulkHistogram
from streamrec.observability.metrics import (
    HOLD_REASONS,
    INPUT_TOPICS,
    LATENCY_S,
    PRIORITIES,
    STAGES,
    TRIGGERS,
    Metrics,
    process_registry,
)

REASONS = ("opt_out", "daily_cap")


def series(registry: CollectorRegistry, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    """Exposed samples of one name, by labels."""
    return {
        tuple(sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(generate_latest(registry).decode())
        for sample in family.samples
        if sample.name == name
    }


def exposition(registry: CollectorRegistry) -> dict[str, float]:
    """Each line of /metrics with its value, without the birth times prometheus_client adds by default."""
    lines = [line.rpartition(" ") for line in generate_latest(registry).decode().splitlines() if line[0] != "#"]
    return {name: float(value) for name, _, value in lines if "_created" not in name}


def fill(registry: CollectorRegistry, values: Iterable[float]) -> None:
    """Count the values one by one with prometheus_client's histogram, label a=x."""
    histogram = Histogram("t_seconds", "Time.", ["a"], buckets=LATENCY_S, registry=registry)
    histogram.labels("x")
    histogram.labels("y")
    for value in values:
        histogram.labels("x").observe(value)


eighths = st.integers(min_value=0, max_value=1000).map(lambda eighth: eighth / 8)


@given(values=st.lists(eighths | st.sampled_from(LATENCY_S), max_size=40), cut=st.integers(min_value=0, max_value=40))
@example(values=list(LATENCY_S), cut=3)
def test_an_array_counts_as_its_values_one_by_one(values: list[float], cut: int) -> None:
    """Two arrays are exposed as prometheus_client exposes the same values counted singly, limits included."""
    ours, theirs = CollectorRegistry(), CollectorRegistry()
    bulk = BulkHistogram("t_seconds", "Time.", ["a"], buckets=LATENCY_S, registry=ours)
    bulk.labels("y")
    bulk.labels("x").observe_many(np.asarray(values[:cut]))
    bulk.labels("x").observe_many(np.asarray(values[cut:]))
    fill(theirs, values)
    assert exposition(ours) == pytest.approx(exposition(theirs))


def test_negative_durations_count_as_zero() -> None:
    """A producer's clock that runs ahead never makes a sum fall."""
    registry = CollectorRegistry()
    bulk = BulkHistogram("t_seconds", "Time.", buckets=(1.0, 2.0), registry=registry)
    bulk.observe_many(np.asarray([-5.0, 1.5]))
    assert series(registry, "t_seconds_sum") == {(): 1.5}
    assert series(registry, "t_seconds_bucket") == {(("le", "1.0"),): 1, (("le", "2.0"),): 2, (("le", "+Inf"),): 2}


def test_every_labelled_series_exists_at_zero() -> None:
    """Before the first event each label value is there, so that rate() sees the first increment."""
    registry = CollectorRegistry()
    Metrics(registry, REASONS)
    sizes = {
        "streamrec_events_total": len(ACTIONS),
        "streamrec_dead_letters_total": len(INPUT_TOPICS) * len(REJECT_REASONS),
        "streamrec_suppressions_total": len(REASONS),
        "streamrec_pushes_total": len(TRIGGERS) * len(PRIORITIES),
        "streamrec_stage_seconds_count": len(STAGES),
        "streamrec_event_to_push_seconds_count": len(TRIGGERS),
    }
    for name, size in sizes.items():
        assert list(series(registry, name).values()) == [0.0] * size, name


def test_an_unknown_label_value_is_an_error() -> None:
    """Label sets are closed: a word outside the set makes no new series."""
    metrics = Metrics(CollectorRegistry(), REASONS)
    with pytest.raises(KeyError):
        metrics.suppressions["u0421"].inc()
    with pytest.raises(KeyError):
        metrics.stage["u0421"]  # type: ignore[index]


def test_pairs_count_under_both_labels() -> None:
    """`pushes` and `dead_letters` put their two keys under the labels of the same meaning."""
    registry = CollectorRegistry()
    metrics = Metrics(registry, REASONS)
    metrics.pushes["due", "breaking"].inc(2)
    metrics.dead_letters["events", "in_future"].inc(3)
    pushes, dead = series(registry, "streamrec_pushes_total"), series(registry, "streamrec_dead_letters_total")
    assert pushes[("priority", "breaking"), ("trigger", "due")] == 2
    assert dead[("reason", "in_future"), ("topic", "events")] == 3


def test_priorities_are_those_of_the_push_contract() -> None:
    """A priority added to the contract appears in the metrics without a second edit."""
    assert set(PRIORITIES) == set(get_args(get_type_hints(Push)["priority"]))


def test_one_model_serves() -> None:
    """After a reload `streamrec_model_info` names the new model only."""
    registry = CollectorRegistry()
    metrics = Metrics(registry, REASONS)
    metrics.serve_model("ranker", "1", "int8", "admitted")
    metrics.serve_model("ranker", "2", "fp32", "int8 slower")
    [labels] = series(registry, "streamrec_model_info")
    assert dict(labels) == {"name": "ranker", "version": "2", "engine": "fp32", "verdict": "int8 slower"}


def test_a_partition_that_left_has_no_lag() -> None:
    """The gauges of a partition moved elsewhere disappear; those of the others stay; asking twice is harmless."""
    registry = CollectorRegistry()
    metrics = Metrics(registry, REASONS)
    metrics.lag.labels(0).set(5)
    metrics.lag.labels(1).set(7)
    metrics.forget_partition(0)
    metrics.forget_partition(0)
    assert series(registry, "streamrec_lag_seconds") == {(("partition", "1"),): 7.0}


def test_pushes_are_held_back_for_one_reason_at_a_time() -> None:
    """Each reason has a series, at most one of them is 1, and a partition that moved has none."""
    registry = CollectorRegistry()
    metrics = Metrics(registry, REASONS)
    for why in (*HOLD_REASONS, None):
        metrics.hold(3, why)
        found = series(registry, "streamrec_pushes_held_back")
        assert found == {(("partition", "3"), ("reason", reason)): float(reason == why) for reason in HOLD_REASONS}
    metrics.forget_partition(3)
    assert series(registry, "streamrec_pushes_held_back") == {}


def test_all_names_are_ours_and_labels_carry_no_id() -> None:
    """Each series begins with streamrec_ and no label could hold a user, an article or a push."""
    registry = CollectorRegistry()
    Metrics(registry, REASONS).serve_model("ranker", "1", "int8", "admitted")
    closed = {
        "action",
        "kind",
        "status",
        "trigger",
        "priority",
        "reason",
        "topic",
        "stage",
        "partition",
        "outcome",
        "side",
        "le",
        "field",
    }
    for family in registry.collect():
        assert family.name.startswith("streamrec_")
        labels = {label for sample in family.samples for label in sample.labels}
        assert labels <= closed | {"le"} | (
            {"name", "version", "engine", "verdict"} if family.name == "streamrec_model" else set()
        )


def test_the_process_registry_knows_the_start_time() -> None:
    """Restarts are seen by the process start time, which the worker's registry exports."""
    [started] = series(process_registry(), "process_start_time_seconds").values()
    assert started > 0
