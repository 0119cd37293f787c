"""Times at which things happen at random with a constant mean rate (a Poisson process)."""

from collections.abc import Iterator

import numpy as np

HOUR_MS = 3_600_000


def arrivals_ms(rng: np.random.Generator, start_ms: int, end_ms: int, per_hour: float) -> Iterator[int]:
    """Arrival times within [start, end), ascending; drawn one by one, so the generator may be shared."""
    at_ms = float(start_ms)
    while (at_ms := at_ms + rng.exponential(HOUR_MS / per_hour)) < end_ms:
        yield int(at_ms)
