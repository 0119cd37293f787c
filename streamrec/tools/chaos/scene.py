"""What a fault of a real run can harm, and chance to choose by."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import numpy as np

from ...settings import Settings
from ..local_kafka.cluster import LocalCluster
from ..local_kafka.process import LocalKafka
from .fleet import Fleet

SESSION_S = 6.0  # of workers


class Scene(NamedTuple):
    """Workers, perhaps brokers, and chance."""

    fleet: Fleet
    cluster: LocalCluster | None  # None: brokers that are not ours are left alone
    rng: np.random.Generator
    settings: Settings

    def someone(self) -> int:
        """Number of a worker that is meant to run, by chance."""
        return int(self.rng.choice(sorted(self.fleet.wanted)))

    @property
    def ours(self) -> LocalCluster:
        """The brokers, for faults that are played only where they are ours."""
        assert self.cluster is not None
        return self.cluster

    def broker(self) -> LocalKafka:
        """Some broker, by chance."""
        return self.ours.nodes[self.rng.integers(len(self.ours.nodes))]

    async def pause(self, low_s: float, high_s: float) -> None:
        """Wait between `low_s` and `high_s` seconds, by chance."""
        await asyncio.sleep(float(self.rng.uniform(low_s, high_s)))


Fault = Callable[[Scene], Awaitable[None]]
