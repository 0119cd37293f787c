"""How much was set aside as poison is counted from dead letters: with anybody's headers, and any number of them."""

import asyncio
import weakref
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from streamrec.contracts.records import DeadLetter, RawRecord, RejectReason
from streamrec.kafka.transactions import set_aside
from streamrec.worker.poison.poison_limit import recent_poison


class Fetch(list[RawRecord]):
    """Records of one fetch; can be watched."""


class Letters:
    """A log whose `events.dlq` holds these fetches."""

    def __init__(self, fetches: Iterator[Fetch]) -> None:
        self._fetches = fetches
        self.read_so_far: list[weakref.ref[Fetch]] = []
        self.most_kept = 0

    @asynccontextmanager
    async def reader(self) -> AsyncIterator["Letters"]:
        """Its own reader."""
        yield self

    async def read(self, topic: str, *_: object) -> AsyncIterator[Fetch]:
        """As Reader says."""
        while topic == "events.dlq" and (fetch := next(self._fetches, None)) is not None:
            self.read_so_far.append(weakref.ref(fetch))
            yield fetch
            del fetch
            self.most_kept = max(self.most_kept, sum(seen() is not None for seen in self.read_so_far))


def letter(reason: RejectReason, *trail: tuple[str, bytes]) -> RawRecord:
    """As it lies in the topic."""
    key, value, headers, _ = set_aside(DeadLetter("events", 0, 7, reason, "", b"u1", b"{", trail))
    return RawRecord(0, 0, key, value, headers)


def counted(letters: Letters, enough: int) -> int:
    """As the worker does."""
    log: Any = letters
    return asyncio.run(recent_poison(log, ["catalog", "events", "rerouted"], 0, enough))


def test_an_hour_of_letters_is_never_kept() -> None:
    """At most the fetch at hand is in memory, however many letters there are."""
    fetches = (Fetch([letter("invalid"), letter("processing_error")]) for _ in range(100))
    letters = Letters(fetches)
    assert counted(letters, enough=1000) == 100
    assert letters.most_kept == 1


def test_nothing_more_is_read_once_it_is_enough() -> None:
    """Of a topic without end no more is read than it takes to know that the limit is reached."""
    letters = Letters(Fetch([letter("processing_error")]) for _ in count())
    assert counted(letters, enough=3) == 3
    assert len(letters.read_so_far) == 3


def test_a_producers_header_is_no_reason() -> None:
    """The first header of the name is ours; one that the record brought uses nothing up."""
    forged = letter("undecodable", ("streamrec-reason", b"processing_error"))
    real = letter("processing_error", ("streamrec-reason", b"invalid"))
    foreign = RawRecord(0, 0, b"k", b"v")
    assert counted(Letters(iter([Fetch([forged] * 5 + [foreign]), Fetch([real])])), enough=100) == 1
