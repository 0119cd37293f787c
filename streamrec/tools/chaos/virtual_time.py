"""An event loop whose clock moves only when everybody waits: hours pass in milliseconds, and the same seed gives the
same run. Nothing in it may wait for the world outside, so it has no selector, and a turn costs a fraction of asyncio's.

Order is asyncio's: what is ready runs in the order in which it became so; then timers that are due, by their time, and
of one moment in the order in which they were set.
"""

import asyncio
import math
from asyncio.base_events import BaseEventLoop
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context, copy_context
from heapq import heappop, heappush
from typing import Any, TypeVar, TypeVarTuple

from ...clock import simulated
from ...errors import StateError

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

MOST_TURNS = 1_000_000  # of a run; most take two thousand


class VirtualTime:
    """Nanoseconds since 1970, advanced by waiting."""

    def __init__(self, start_ms: int) -> None:
        self.start_ns = self.now_ns = start_ms * 1_000_000

    def advance_ms(self, ms: float) -> None:
        """Let time pass, as it does while a process works without waiting."""
        self.now_ns += round(ms * 1_000_000)


class _Call(asyncio.TimerHandle):
    """A callback, now or later, with no more than this loop asks of it."""

    __slots__ = ("args", "at_s", "callback", "context")

    def __init__(
        self, callback: Callable[..., object], args: tuple[Any, ...], context: Context | None, at_s: float
    ) -> None:
        self.callback: Callable[..., object] | None = callback
        self.args, self.at_s = args, at_s
        self.context = copy_context() if context is None else context

    def cancel(self) -> None:
        self.callback = None

    def cancelled(self) -> bool:
        return self.callback is None

    def when(self) -> float:
        return self.at_s


class _VirtualLoop(BaseEventLoop):
    def __init__(self, time: VirtualTime) -> None:
        super().__init__()
        self._virtual = time
        self._calls: deque[_Call] = deque()
        self._timers: list[tuple[float, int, _Call]] = []
        self._set = self._turns = 0

    def time(self) -> float:
        return (self._virtual.now_ns - self._virtual.start_ns) / 1e9  # small numbers: a float keeps their nanoseconds

    def call_soon(self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None) -> _Call:
        call = _Call(callback, args, context, 0.0)
        self._calls.append(call)
        return call

    call_soon_threadsafe = call_soon  # there is one thread; an interrupt from the keyboard comes this way

    def call_later(
        self, delay: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> _Call:
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self, when: float, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> _Call:
        call = _Call(callback, args, context, when)
        self._set += 1
        heappush(self._timers, (when, self._set, call))
        return call

    def create_task(self, coro: Any, *, name: Any = None, context: Context | None = None) -> asyncio.Task[Any]:
        return asyncio.Task(coro, loop=self, name=name, context=context)

    def _run_once(self) -> None:
        """A turn, as asyncio's. StateError if nobody will ever wake up, or there is no end to it."""
        self._turns += 1
        if self._turns > MOST_TURNS:
            self._turns = 0  # cancelling everybody takes some more
            raise StateError(f"no end after {MOST_TURNS} turns of the event loop")
        calls, timers, virtual = self._calls, self._timers, self._virtual
        while timers and timers[0][2].callback is None:
            heappop(timers)
        if not calls:
            if not timers:
                raise StateError("everybody waits for somebody else")
            virtual.now_ns += math.ceil(max(0.0, timers[0][0] - self.time()) * 1e9)
        until_s = self.time() + 1e-9
        while timers and timers[0][0] < until_s:
            calls.append(heappop(timers)[2])
        for _ in range(len(calls)):
            call = calls.popleft()
            if call.callback is not None:
                try:
                    call.context.run(call.callback, *call.args)
                except Exception as error:  # noqa: BLE001 - a task keeps its own; this is a callback's
                    self.call_exception_handler({"message": "a callback failed", "exception": error})


def run(main: Coroutine[Any, Any, T], time: VirtualTime) -> T:
    """Run to the end in this time; tasks still waiting then are cancelled."""
    with simulated(lambda: time.now_ns), asyncio.Runner(loop_factory=lambda: _VirtualLoop(time)) as runner:
        return runner.run(main)
