"""Transactions of one process: who waits for whom, and for how long."""

import asyncio
import gc

import pytest

from streamrec.worker.commit import commit_rounds as rounds_module
from streamrec.worker.commit.commit_rounds import PATIENCE_S, CommitRounds


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that stands still for a moment ends no round."""
    monkeypatch.setattr(rounds_module, "PATIENCE_S", 600.0)


@pytest.mark.usefixtures("patient")
async def test_a_round_lasts_until_its_last_transaction_ends() -> None:
    """Those who asked are woken then, and not before."""
    rounds, woken = CommitRounds(), asyncio.Event()
    assert not rounds.on()
    with rounds.flight(0):
        with rounds.flight(1):
            rounds.wake(woken)
        assert rounds.on()
        assert not woken.is_set()
    assert not rounds.on()
    assert woken.is_set()


@pytest.mark.usefixtures("patient")
async def test_the_next_transaction_begins_after_the_round_and_after_those_it_woke() -> None:
    """What waited is applied before the next transactions are put together."""
    rounds, woken, order = CommitRounds(), asyncio.Event(), list[str]()

    async def apply() -> None:
        await woken.wait()
        order.append("apply")

    async def commit() -> None:
        await rounds.over()
        order.append("commit")

    async with asyncio.TaskGroup() as group:
        with rounds.flight(0):
            rounds.wake(woken)
            group.create_task(commit())
            group.create_task(apply())
            for _ in range(9):  # turns: they have begun to wait
                await asyncio.sleep(0)
            assert not order
    assert order == ["apply", "commit"]


async def test_a_slow_transaction_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """One slow broker does not stop the other partitions."""
    rounds, at_s = CommitRounds(), [1000.0]
    monkeypatch.setattr(rounds_module, "monotonic_s", lambda: at_s[0])
    with rounds.flight(0):
        await rounds.over()
        at_s[0] += PATIENCE_S
        assert not rounds.on()
        with rounds.flight(1):
            assert rounds.on()


async def test_nobody_is_kept_who_waited_in_vain() -> None:
    """With a slow broker somebody may be in flight for as long as the process lives."""
    rounds, before = CommitRounds(), events_alive()
    with rounds.flight(0):
        for number in range(1, 4):
            with rounds.flight(number):
                await rounds.over()
        assert events_alive() == before


def events_alive() -> int:
    """Somebody holds them."""
    gc.collect()
    return sum(isinstance(held, asyncio.Event) for held in gc.get_objects())


async def test_a_round_ends_with_a_transaction_that_fails() -> None:
    """The process ends of it; until then nothing hangs."""
    rounds = CommitRounds()
    with pytest.raises(OSError, match="gone"), rounds.flight(0):
        raise OSError("gone")
    assert not rounds.on()
