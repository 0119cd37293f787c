"""Requests that come late or twice in a simulation: each way of going on after a commit in doubt is found."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from aiokafka.errors import InvalidTxnState, OutOfOrderSequenceNumber, ProducerFenced

from streamrec.contracts.records import RawRecord
from streamrec.kafka import transactions
from streamrec.kafka.producer import CommitInDoubt
from streamrec.kafka.transactions import Transactions, Writes
from streamrec.tools.chaos.memory_log import MemoryLog
from streamrec.tools.chaos.memory_network import Network, Unanswered
from streamrec.tools.chaos.memory_producer import MemoryProducer
from streamrec.tools.chaos.simulate import quietly

TO = ("changelog", 0)
RECORD = RawRecord(0, 0, b"k", b"v")


async def repeated(self: Transactions, writes: Writes) -> bool:
    """Until it is answered, in the same epoch, as aiokafka does by itself."""
    await writes.acknowledged()
    while True:
        try:
            await self._producers[self._turn].commit_transaction()
        except CommitInDoubt:
            continue
        return True


async def in_the_same_epoch(self: MemoryProducer) -> MemoryProducer:
    """The outcome is found out, but a late commit still finds the next transaction open."""
    return self


async def whoever_the_owner_is(self: MemoryProducer) -> MemoryProducer:
    """A zombie takes the id back from its successor, and writes again what that one has long done."""
    following = MemoryProducer(self._broker, self._step, self._id)
    await following.start()
    return following


async def taken_for_committed(*_: object) -> bool:
    """What was aborted is lost."""
    return True


async def taken_for_aborted(*_: object) -> bool:
    """What was committed is written twice."""
    return False


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "name", "mistake", "seed"),
    [
        (Transactions, "_committed", repeated, 0),
        (MemoryProducer, "renewed", in_the_same_epoch, 47),
        (MemoryProducer, "renewed", whoever_the_owner_is, 32),
        (Writes, "are_committed", taken_for_committed, 21),
        (Writes, "are_committed", taken_for_aborted, 21),
    ],
)
def test_a_doubt_that_is_not_ended_is_found(
    monkeypatch: pytest.MonkeyPatch, where: type, name: str, mistake: Callable[..., Awaitable[Any]], seed: int
) -> None:
    """By the judge or by a broker that refuses what comes next, within two hundred seeds; first come those that did."""
    monkeypatch.setattr(where, name, mistake)
    assert any(not quietly(each).holds for each in range(seed, seed + 200))


@pytest.mark.slow
def test_a_batch_that_blocks_the_next_transaction_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever takes a refusal for his own error ends over a copy that came late, in every eighth run."""
    monkeypatch.setattr(transactions, "OutOfOrderSequenceNumber", ZeroDivisionError)
    assert any(not quietly(seed).holds for seed in range(200))


async def log_with_a_transaction() -> MemoryLog:
    """Epoch 1 of id "i" has written a record and not ended."""
    log = MemoryLog(np.random.default_rng(1))
    assert log.begin_epoch("i", None) == 1
    log.add("i", 1, TO)
    log.write("i", 1, TO, 0, [RECORD])
    return log


async def test_a_copy_in_its_own_epoch_does_harm() -> None:
    """A commit that comes late ends whatever is open; a batch that comes twice is known."""
    log = await log_with_a_transaction()
    log.end_transaction("i", 1, "aborted")
    log.add("i", 1, TO)
    log.write("i", 1, TO, 1, [RECORD])
    log.write("i", 1, TO, 1, [RECORD])
    log.end_transaction("i", 1, "committed")
    assert [record.offset for record in log.committed(*TO)] == [2]
    with pytest.raises(InvalidTxnState):
        log.write("i", 1, TO, 2, [RECORD])


async def test_a_batch_that_comes_late_is_in_the_way() -> None:
    """Of the next transaction of its epoch, and of no other."""
    log = await log_with_a_transaction()
    log.end_transaction("i", 1, "committed")
    log.write("i", 1, TO, 0, [RECORD])
    log.add("i", 1, TO)
    with pytest.raises(OutOfOrderSequenceNumber):
        log.write("i", 1, TO, 1, [RECORD])
    log.end_transaction("i", 1, "aborted")
    assert log.begin_epoch("i", 1) == 2
    log.add("i", 2, TO)
    log.write("i", 2, TO, 0, [RECORD])
    log.write("i", 2, TO, 0, [RECORD])  # late, and the transaction is open: known
    log.write("i", 2, TO, 1, [RECORD])
    log.end_transaction("i", 2, "committed")
    assert len(log.committed(*TO)) == 3


async def test_a_copy_of_an_earlier_epoch_does_none() -> None:
    """Not of a commit, a partition, a batch; and an epoch follows the latest only."""
    log = await log_with_a_transaction()
    assert log.begin_epoch("i", 1) == 3  # what was open took an epoch to abort
    log.add("i", 3, TO)
    for late in (
        lambda: log.end_transaction("i", 1, "committed"),
        lambda: log.add("i", 1, TO),
        lambda: log.write("i", 1, TO, 0, [RECORD]),
    ):
        with pytest.raises(ProducerFenced):
            late()
    log.end_transaction("i", 3, "aborted")
    assert log.begin_epoch("i", 1) == 3  # a copy gets the same answer
    with pytest.raises(ProducerFenced):
        log.begin_epoch("i", 2)
    log.begin_epoch("i", None)
    with pytest.raises(ProducerFenced):
        log.begin_epoch("i", 3)
    assert log.committed(*TO) == []


async def test_requests_take_effect_at_any_time() -> None:
    """A broken connection says nothing: the request had its effect never, once or twice, now or later."""
    effects: list[int] = []

    async def step() -> None:
        await asyncio.sleep(0)

    network = Network(np.random.default_rng(1), left=200, rate=1.0)
    for number in range(200):
        with pytest.raises(Unanswered):
            await network.request(step, "i", lambda number=number: effects.append(number))  # type: ignore[misc]
    for _ in range(30):
        await network.request(step, "i", lambda: None)
    counts = {effects.count(number) for number in range(200)}
    assert counts == {0, 1, 2}
    assert effects != sorted(effects)
