"""A worker process in a simulation: it may die or stand still at every request it makes of the log."""

import asyncio

import numpy as np
from aiokafka.errors import ProducerFenced

from .virtual_time import VirtualTime


class Died(BaseException):
    """Raised within a simulated process at the request at which it dies."""


WITH_CONNECTIONS, SOON, SOON_REQUESTS = 0.3, 0.3, 6  # of broken connections; chance at each of so many requests


class Faults:
    """When processes fail, drawn from the seed: at most `left` times a run, so that every run ends."""

    def __init__(self, rng: np.random.Generator, left: int, rate: float) -> None:
        self._rng, self.left, self._rate = rng, left, rate
        self._soon = 0  # requests

    def expect(self) -> None:
        """A connection broke: what breaks one may well take a process from its group, too, which then replaces it."""
        if self._rng.random() < WITH_CONNECTIONS:
            self.left, self._soon = self.left + 1, SOON_REQUESTS

    def strikes(self) -> bool:
        """Whether a fault strikes at this request, by chance, while any are left."""
        rate, self._soon = max(self._rate, SOON * bool(self._soon)), max(0, self._soon - 1)
        if self.left and self._rng.random() < rate:
            self.left -= 1
            return True
        return False


class Process:
    """One life of a worker in a simulation, from its start to its end."""

    def __init__(self, rng: np.random.Generator, time: VirtualTime, faults: Faults) -> None:
        self._rng, self._time, self._faults = rng, time, faults
        self.ended = asyncio.Event()
        self.error: BaseException | None = None
        self.replaced = asyncio.Event()  # somebody else takes over, whether we know it or not

    async def step(self) -> None:
        """A request: takes a moment, in which others work; perhaps it is the last one, or a very long one."""
        self._check()
        if self._faults.strikes():
            if self._rng.random() < 0.6:
                self.end(Died())
            else:  # stopped, taken for dead, and going on later as if nothing had happened
                self.replaced.set()
                await asyncio.sleep(float(self._rng.choice([0.001, 0.05, 5.0])))
        self._time.advance_ms(int(3 * self._rng.random()))
        for _ in range(int(4 * self._rng.random())):
            await asyncio.sleep(0)
        self._check()

    def end(self, error: BaseException) -> None:
        """Whatever the reason: nothing of this process reaches the log any more."""
        self.error = self.error or error
        self.ended.set()
        self.replaced.set()

    def check_end(self) -> None:
        """Raises what it ended of, unless it was a fault of ours or a fence."""
        if self.error is not None and not isinstance(self.error, Died | ProducerFenced):
            raise self.error

    def _check(self) -> None:
        if self.ended.is_set():
            raise Died
