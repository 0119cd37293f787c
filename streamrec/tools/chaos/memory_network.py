"""The network between a simulated process and its broker: a request may get lost, arrive late, or twice.

The one that made it is told nothing but that its connection broke (`Unanswered`), as with TCP: whatever a queue in
between holds may be delivered afterwards, when the process has long sent other requests, or has ended. Every request is
a point at which the process may stand still or die, too, before it has an effect and after.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, TypeVar

import numpy as np
from aiokafka.errors import KafkaError as ClientError

T = TypeVar("T")
Step = Callable[[], Awaitable[None]]
Fate = Literal["answered", "lost", "unheard", "late", "twice"]

BROKEN: tuple[Fate, ...] = ("lost", "unheard", "late", "late", "twice")
LATE_S = (0.001, 0.03, 0.5, 5.0, 50.0)
LATE_REQUESTS = 24
TO_CONNECT = 4  # requests until there is another connection: metadata, the coordinator, its name


class Unanswered(Exception):  # noqa: N818 - it is no error of anybody
    """The connection broke: the request may have had an effect, may have one later, or never."""


@dataclass
class _Held:
    """A request that arrives before a later one of the same id."""

    transactional_id: str
    requests: int  # until then
    effect: Callable[[], object]


class Network:
    """Breaks connections at this rate, drawn from the seed; at most `left` of a run, so that every run ends."""

    def __init__(
        self, rng: np.random.Generator, left: int = 0, rate: float = 0.0, broke: Callable[[], object] = lambda: None
    ) -> None:
        self._rng, self.left, self._rate, self._broke = rng, left, rate, broke
        self._held: list[_Held] = []

    async def request(self, step: Step, transactional_id: str, effect: Callable[[], T]) -> T:
        """Make a request of this id: its answer, or what the broker raised, or Unanswered."""
        await step()
        self._deliver(transactional_id)
        fate = self._fate()
        if fate in ("late", "twice"):
            self._hold(transactional_id, effect)
        if fate in ("unheard", "twice"):
            _unheard(effect)
        if fate == "answered":
            answer = effect()
            await step()
            return answer
        self._broke()
        for _ in range(TO_CONNECT):
            await step()
        raise Unanswered

    def _fate(self) -> Fate:
        if not self.left or self._rng.random() >= self._rate:
            return "answered"
        self.left -= 1
        return BROKEN[int(self._rng.integers(len(BROKEN)))]

    def _hold(self, transactional_id: str, effect: Callable[[], object]) -> None:
        if self._rng.random() < 0.5:
            asyncio.get_running_loop().call_later(float(self._rng.choice(LATE_S)), _unheard, effect)
        else:
            self._held.append(_Held(transactional_id, int(self._rng.integers(1, LATE_REQUESTS)), effect))

    def _deliver(self, transactional_id: str) -> None:
        for held in self._held:
            held.requests -= held.transactional_id == transactional_id
            if not held.requests:
                _unheard(held.effect)
        self._held = [held for held in self._held if held.requests]


def _unheard(effect: Callable[[], object]) -> None:
    with suppress(ClientError):
        effect()
