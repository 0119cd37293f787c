"""What one transaction of a partition holds, by topic: rows and cursor, pushes, strays and dead letters.

And the first one of a new owner, `barrier`: a record of its own in the changelog. Read-committed readers see it only
when every transaction before it is decided. Fencing alone does not give that: a coordinator that was moved or stood
still can forget an id whose commit it has accepted, and then the old owner's last commit appears after its successor
has read.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, NamedTuple, TypeVar

from ...kafka.transactions import Message, Transactions, reroute, set_aside
from ...partition.changelog_meta import OWNER_KEY
from ...partition.changes import Changes

MARK = (OWNER_KEY, b"{}")  # a record that says nothing
OWNER = Message(*MARK)
T = TypeVar("T")


class Names(NamedTuple):
    """Full names of the topics a partition writes in every transaction; dead letters name theirs."""

    changelog: str
    push: str
    rerouted: str


async def write(
    transactions: Transactions, names: Names, number: int, rows: Sequence[tuple[bytes, bytes | None]], changes: Changes
) -> None:
    """Commit a partition's rows, pushes, strays and dead letters in one transaction, or nothing of them."""
    async with transactions.begin() as writes:
        await writes.send(names.changelog, number, (Message(key, value) for key, value in rows))
        pushes = (Message(push.user_id.encode(), push.value) for push in changes.pushes)
        await writes.send(names.push, number, pushes)
        for home in {stray.partition for stray in changes.strays}:
            strays = (reroute(stray) for stray in changes.strays if stray.partition == home)
            await writes.send(names.rerouted, home, strays)
        for topic in {letter.topic for letter in changes.dead_letters}:
            letters = (set_aside(letter) for letter in changes.dead_letters if letter.topic == topic)
            await writes.send(f"{topic}.dlq", number, letters)


async def barrier(transactions: Transactions, topic: str, number: int, owner: Message = OWNER) -> int:
    """Commit a record of our own after all that old owners may have written, and answer with its offset."""
    return await to_the_end(_commit_barrier(transactions, topic, number, owner))


async def to_the_end(work: Coroutine[Any, Any, T]) -> T:
    """Whoever is cancelled meanwhile waits for its end: a producer left in a transaction can begin no other one."""
    working = asyncio.create_task(work)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.gather(working, return_exceptions=True)
        raise


async def _commit_barrier(transactions: Transactions, topic: str, number: int, owner: Message) -> int:
    async with transactions.begin() as writes:
        await writes.send(topic, number, [owner])
    (written,) = await writes.acknowledged()  # once committed: perhaps it had to be written again
    return int(written.offset)
