"""follower/stepwise.py: a question goes from partition to partition, and others have their turn in between."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from making import HOUR, T0, Feed, article, click, partition

from streamrec.contracts.audience import Audience
from streamrec.errors import DataError
from streamrec.follower.audience import progress, under_way
from streamrec.follower.funnel import funnel
from streamrec.follower.listing import listed
from streamrec.follower.preview import compare, preview, recipients
from streamrec.follower.stepwise import Steps, Stepwise, answered, stepwise
from streamrec.partition.partition import Partition

DRAFT = article("draft", topic="quantum")
AT_MS = T0 + HOUR
QUESTIONS: list[tuple[Any, tuple[Any, ...]]] = [
    (preview, (DRAFT, AT_MS)), (preview, (DRAFT, AT_MS, 0.9)), (recipients, (DRAFT, AT_MS)),
    (compare, ((DRAFT, AT_MS, None), (DRAFT, AT_MS, 1.0))), (funnel, ("new", AT_MS)), (progress, ("new", AT_MS)),
    (under_way, (AT_MS,)), (listed, (3,)),
]  # fmt: skip


def several(count: int = 3) -> list[Partition]:
    """Partitions whose readers know the topic or do not; the last does not know the newest article."""
    made = []
    for number in range(count):
        feed = Feed(partition(number, daily_cap=2))
        feed.articles(article("old", topic="quantum"), article("far", topic="far"))
        feed.events(*(click(f"u{number}-{at}", "old" if at % 3 else "far") for at in range(12 + number)))
        if number < count - 1:
            feed.articles(article("new", topic="quantum", audience=Audience(everybody=True)), now_ms=T0 + 1)
        made.append(feed.to)
    return made


@pytest.mark.parametrize(("work", "args"), QUESTIONS)
async def test_step_by_step_the_answer_is_the_same_to_the_byte(work: Any, args: tuple[Any, ...]) -> None:
    """Where nothing moves; one that is not stepwise is asked in one step."""
    at_once = msgspec.json.encode(work(several(), *args))
    assert msgspec.json.encode(await answered(asyncio.Lock(), work, several(), *args)) == at_once


@pytest.mark.parametrize(("work", "args"), [each for each in QUESTIONS if each[0] not in (under_way, listed)])
async def test_whoever_waits_has_a_turn_after_each_partition(work: Any, args: tuple[Any, ...]) -> None:
    """A follower that has something to apply does, however many ask."""
    lock, turns, asked = asyncio.Lock(), 0, list[asyncio.Task[Any]]()

    async def follow() -> None:
        nonlocal turns
        while not all(task.done() for task in asked):
            async with lock:
                turns += 1
            await asyncio.sleep(0)

    assert isinstance(work, Stepwise)
    asked.append(asyncio.create_task(answered(lock, work, several(5), *args)))
    await asyncio.gather(follow(), *asked)
    assert turns >= 5


async def test_what_is_wrong_is_raised_and_the_lock_is_let_go() -> None:
    """At whatever step; a question may raise before its first one."""
    lock = asyncio.Lock()

    @stepwise
    def fails(partitions: Sequence[Partition]) -> Steps[None]:
        yield
        raise DataError("no")

    for work, args in ((fails, ()), (funnel, ("nothing", AT_MS))):
        with pytest.raises(DataError):
            await answered(lock, work, several(), *args)
        assert not lock.locked()
