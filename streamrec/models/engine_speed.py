"""How fast engines are beside torch fp32, on this machine and now.

    speedups(engines, rows, batch_sizes) -> {engine: {rows per call: torch_fp32's time / its time}}

Rounds are interleaved, and the ratio is the median over the rounds of each round's own, so that other load on the
machine meets all engines alike. The first round warms up caches and allocators and is left out.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from ..arrays import FloatArray
from ..clock import monotonic_s
from .engines.contract import Engine, EngineName

ROUNDS = 9
REFERENCE: EngineName = "torch_fp32"

Timer = Callable[[], float]
Speedups = Mapping[EngineName, Mapping[int, float]]
Pace = Callable[[Mapping[EngineName, Engine], FloatArray, Sequence[int]], Speedups]


def speedups(
    engines: Mapping[EngineName, Engine],
    rows: FloatArray,
    batch_sizes: Sequence[int],
    timer: Timer = monotonic_s,
    rounds: int = ROUNDS,
) -> dict[EngineName, dict[int, float]]:
    """Ratios of all engines, REFERENCE among them, on (K, COLUMNS) rows repeated to each batch size."""
    ratios: dict[EngineName, dict[int, float]] = {name: {} for name in engines}
    for size in batch_sizes:
        batch = rows[np.arange(size) % len(rows)]  # (size, COLUMNS)
        seconds: dict[EngineName, list[float]] = {name: [] for name in engines}
        for _ in range(rounds):
            for name, engine in engines.items():
                started_s = timer()
                engine.logits(batch)
                seconds[name].append(timer() - started_s)
        for name, took in seconds.items():
            pairs = zip(seconds[REFERENCE][1:], took[1:], strict=True)
            ratios[name][size] = statistics.median(reference_s / max(s, 1e-9) for reference_s, s in pairs)
    return ratios
