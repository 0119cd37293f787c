"""A Prometheus histogram that takes a whole array at once.

prometheus_client's own Histogram takes one value a call (a lock and a search in Python), too slow for 50,000 pushes in
one transaction. This one counts with numpy and says the same: tests/observability/test_metrics.py holds its exposition
against prometheus_client's for the same data.

Contract: bounds are ascending upper limits, inclusive (`le`), +Inf is added. Label values are a closed set given at
birth, so every series exists from the first scrape and an unknown value is a KeyError. Values below zero (a producer
whose clock runs ahead) count as zero: a sum that fell would look like a restart to rate().
"""

import threading
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class Observations:
    """How many values of one series fell into which bucket, and their sum."""

    def __init__(self, bounds: Sequence[float]) -> None:
        if not bounds or list(bounds) != sorted(set(bounds)):
            raise ValueError(f"histogram bounds: expected ascending numbers, got {list(bounds)}")
        self._bounds = np.asarray(bounds, np.float64)  # (B,)
        self._counts = np.zeros(len(bounds) + 1, np.int64)  # (B + 1,), the last one is +Inf
        self._sum = 0.0
        self._lock = threading.Lock()  # the scrape may run in another thread

    def observe(self, value: float) -> None:
        """Count one value in its bucket and in the sum."""
        self.observe_many(np.asarray([value], np.float64))

    def observe_many(self, values: npt.ArrayLike) -> None:
        """Count every value of a (N,) array; N may be 0."""
        positive = np.maximum(np.asarray(values, np.float64).ravel(), 0.0)
        slots = np.searchsorted(self._bounds, positive, side="left")
        counts = np.bincount(slots, minlength=len(self._counts))
        with self._lock:
            self._counts += counts
            self._sum += float(positive.sum())

    def cumulative(self) -> tuple[list[tuple[str, float]], float]:
        """Pairs (le, values at or below it) and the sum of all values."""
        with self._lock:
            totals, total = np.cumsum(self._counts).tolist(), self._sum
        limits = (*self._bounds.tolist(), float("inf"))
        names = [floatToGoString(limit) for limit in limits]  # type: ignore[no-untyped-call]
        return list(zip(names, map(float, totals), strict=True)), total


class BulkHistogram(Collector):
    """One family of such series; `histogram["rank"]` is the one of a label value."""

    def __init__(
        self,
        name: str,
        documentation: str,
        bounds: Sequence[float],
        registry: CollectorRegistry,
        *,
        label: str = "",
        values: Sequence[str] = (),
    ) -> None:
        if bool(label) != bool(values):
            raise ValueError(f"{name}: a label needs its values and values need a label")
        self._name, self._documentation, self._label = name, documentation, label
        self._series = {value: Observations(bounds) for value in values or ("",)}
        registry.register(self)

    def __getitem__(self, value: str) -> Observations:
        return self._series[value]

    def observe(self, value: float) -> None:
        """Count one value of a histogram without a label."""
        self._series[""].observe(value)

    def observe_many(self, values: npt.ArrayLike) -> None:
        """Count a (N,) array of a histogram without a label."""
        self._series[""].observe_many(values)

    def describe(self) -> Iterable[HistogramMetricFamily]:
        """Name and labels only: the registry refuses a second family of this name."""
        return [self._family()]

    def collect(self) -> Iterable[HistogramMetricFamily]:
        """The histogram with all its series, as prometheus_client asks for it at each scrape."""
        family = self._family()
        for value, observations in self._series.items():
            buckets, total = observations.cumulative()
            family.add_metric([value] if self._label else [], buckets, total)
        return [family]

    def _family(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(self._name, self._documentation, labels=[self._label] if self._label else [])
