"""Questions that look at one partition after the other, so that following goes on in between.

    @stepwise
    def readers(partitions: Sequence[Partition]) -> Steps[int]:
        found = 0
        for partition in partitions:
            found += partition.profiles.count()
            yield
        return found

    readers(partitions)                     in one go, where nothing moves
    await answered(lock, readers, partitions)  each step in a thread and under the lock, which is let go in between

Behind a `yield` any partition may be another: slots, rows and columns are looked up anew. What one step reads of one
partition is a committed state; an answer joins states of different moments, and is `AsOf` the oldest of them.
"""

import asyncio
from collections.abc import Callable, Generator
from functools import update_wrapper
from typing import Generic, NamedTuple, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Steps = Generator[None, None, T]


class AsOf(NamedTuple, Generic[T]):
    """An answer, and from when the oldest of the states is that it was read from; ms since 1970."""

    answer: T
    as_of_ms: int


class Stepwise(Generic[P, T]):
    """A question that may be interrupted at each `yield`; called, it answers in one go."""

    def __init__(self, steps: Callable[P, Steps[T]]) -> None:
        self.steps = steps  # for `answered`, and to ask it within another one: `yield from readers.steps(...)`
        update_wrapper(self, steps)

    def __call__(self, *args: P.args, **more: P.kwargs) -> T:
        steps = self.steps(*args, **more)
        while (end := step(steps)) is None:
            pass
        return end.answer


def stepwise(steps: Callable[P, Steps[T]]) -> Stepwise[P, T]:
    """Make a question of a generator."""
    return Stepwise(steps)


async def answered(lock: asyncio.Lock, work: Callable[P, T], /, *args: P.args, **more: P.kwargs) -> T:
    """Ask a question step by step; one that is not `stepwise` is one step."""
    steps = work.steps(*args, **more) if isinstance(work, Stepwise) else _at_once(work, *args, **more)
    while True:
        async with lock:
            end = await asyncio.to_thread(step, steps)
        if end is not None:
            return end.answer


class End(NamedTuple, Generic[T]):
    """What a question came to."""

    answer: T


def step(steps: Steps[T]) -> End[T] | None:
    """Take a step; what it came to, if it was the last. A future holds no StopIteration, so it does not leave here."""
    try:
        next(steps)
    except StopIteration as end:
        return End(end.value)
    return None


def _at_once(work: Callable[P, T], *args: P.args, **more: P.kwargs) -> Steps[T]:
    return work(*args, **more)
    yield
