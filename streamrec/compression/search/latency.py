"""How fast contestants are beside one another: interleaved rounds in one process, ratios only.

In each round every contestant runs each batch size in turn, the baseline too. A ratio is the median over rounds of
(baseline's time / contestant's time) of the same round, so a machine that slows down in between slows both. Small
batches are repeated until a measurement lasts LEAST_S. One thread: use_one_thread() is the caller's business.
"""

import statistics
from collections.abc import Callable, Iterable, Mapping

import msgspec

from ...clock import monotonic_s

ROUNDS = {1: 7, 32: 7, 256: 5, 4096: 2}  # a teacher needs seconds for 4,096 rows
LEAST_S = 0.002

Run = Callable[[int], object]  # scores a batch of so many rows


class Speed(msgspec.Struct, frozen=True):
    """How fast one contestant is beside the baseline at one batch size, over all rounds."""

    ratio: float  # how many times as fast as the baseline; above 1 is faster
    low: float  # the smallest and largest ratio of a round
    high: float
    least_us: float  # the fastest run of all rounds: the machine's noise only adds


def measure(
    baseline: Run,
    contestants: Mapping[str, Run],
    rounds: Mapping[int, int] = ROUNDS,
    progress: Callable[[], object] = lambda: None,
) -> dict[str, dict[int, Speed]]:
    """Speeds of each contestant, and of the baseline under "" with ratio 1; `rounds` by batch size."""
    runs = {"": baseline, **contestants}
    times: dict[tuple[str, int], list[float]] = {(name, batch): [] for name in runs for batch in rounds}
    repeats = {(name, batch): count for name, run in runs.items() for batch, count in _repeats(run, rounds).items()}
    for number in range(max(rounds.values())):
        for (name, batch), found in times.items():
            if number < rounds[batch]:
                found.append(_seconds(runs[name], batch, repeats[name, batch]))
        progress()
    speeds: dict[str, dict[int, Speed]] = {name: {} for name in runs}
    for (name, batch), found in times.items():
        ratios = [theirs / ours for theirs, ours in zip(times["", batch], found, strict=True)]
        speeds[name][batch] = Speed(statistics.median(ratios), min(ratios), max(ratios), 1e6 * min(found))
    return speeds


def _repeats(run: Run, batches: Iterable[int]) -> dict[int, int]:
    """Runs that together last about LEAST_S; the first call is the warm-up, and is enough to know a slow one.

    What is slow at a small batch is slow at a larger one, and warm.
    """
    found, is_slow = dict[int, int](), False
    for batch in sorted(batches):
        is_slow = is_slow or _seconds(run, batch, 1) > 10 * LEAST_S
        found[batch] = 1 if is_slow else max(1, min(1000, round(LEAST_S / _seconds(run, batch, 1))))
    return found


def _seconds(run: Run, batch: int, repeats: int) -> float:
    """Seconds of one call, as the mean over `repeats` calls."""
    start = monotonic_s()
    for _ in range(repeats):
        run(batch)
    return max(monotonic_s() - start, 1e-9) / repeats
