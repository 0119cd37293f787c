"""Medians of ratios, interleaved."""

import itertools

import numpy as np
import pytest

from streamrec.arrays import FloatArray
from streamrec.engine.predictor import COLUMNS
from streamrec.models.engine_speed import ROUNDS, speedups
from streamrec.models.engines.contract import Engine, EngineName

ROWS: FloatArray = np.zeros((7, COLUMNS), np.float32)


class Noted:
    """An engine that writes down its calls."""

    def __init__(self, name: EngineName, calls: list[tuple[EngineName, int]]) -> None:
        self.name = name
        self._calls = calls

    def logits(self, features: FloatArray) -> FloatArray:
        """Nothing is computed."""
        self._calls.append((self.name, len(features)))
        return np.zeros(len(features), np.float32)


def test_a_ratio_is_the_median_of_the_rounds_without_the_first() -> None:
    """A slow start and a single disturbed round do not count; rounds go through the engines in turn."""
    calls: list[tuple[EngineName, int]] = []
    engines: dict[EngineName, Engine] = {name: Noted(name, calls) for name in ("torch_fp32", "ort_int8")}
    round_s = [0.0, 3.0, 0.0, 2.0]
    disturbed = [0.0, 90.0, 0.0, 2.0]
    clock = itertools.accumulate([0.0, 3.0, 0.0, 800.0, *round_s * 4, *disturbed, *round_s * 3])
    found = speedups(engines, ROWS, (20,), clock.__next__)
    assert found == {"torch_fp32": {20: 1.0}, "ort_int8": {20: pytest.approx(1.5)}}
    assert calls == [("torch_fp32", 20), ("ort_int8", 20)] * ROUNDS
