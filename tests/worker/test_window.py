"""Back-pressure: a transaction that cannot be committed yet stops what is offered, of whatever kind that is."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from making import AffinityScores, article, policy
from on_kafka import event, until
from slow_log import SlowLog, writer_on

from streamrec.clock import now_ms
from streamrec.contracts.partitioner import partitions_of
from streamrec.contracts.records import DeadLetter, RawRecord, Stray
from streamrec.partition.changes import Changes
from streamrec.partition.intake import Batch
from streamrec.partition.partition import Partition, PartitionContext
from streamrec.settings import load
from streamrec.tools.chaos import memory_log
from streamrec.tools.chaos.memory_log import MemoryLog
from streamrec.worker.writing.writer import PartitionWriter

WINDOW, BATCH = 500, 100
MOST = 2 * (WINDOW + BATCH) + 10 * BATCH  # in flight and pending; in the lane and on the way there


@pytest.fixture(autouse=True)
def markers_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Late ones would take seconds here, where time is real."""
    monkeypatch.setattr(memory_log, "LATE_MARKERS", 0.0)


def clicks(first: int, end: int) -> Iterator[bytes]:
    """Of a user each, on an article nobody knows."""
    return (event(f"u{n}", "a0").value or b"" for n in range(first, end))


def unreadable(first: int, end: int) -> Iterator[bytes]:
    """No JSON."""
    return (b"no event" for _ in range(first, end))


def astray(first: int, end: int) -> Iterator[bytes]:
    """Clicks of users who live elsewhere."""
    users = [f"u{n}" for n in range(first, end)]
    homes = partitions_of(users, 24).tolist()
    return (event(user if home else "elsewhere", "a0").value or b"" for user, home in zip(users, homes, strict=True))


def long(first: int, end: int) -> Iterator[bytes]:
    """Unreadable, 20 kB each: five fill a fifth of the window."""
    return (b"x" * 20_000 for _ in range(first, end))


def long_clicks(first: int, end: int) -> Iterator[bytes]:
    """As long, and good."""
    return (event(f"u{n}", "a0", x="x" * 20_000).value or b"" for n in range(first, end))


async def offer(writer: PartitionWriter, values: Sequence[bytes], headers: Sequence[tuple[str, bytes]] = ()) -> None:
    """All of them, in batches of 100."""
    for first in range(0, len(values), BATCH):
        records = [
            RawRecord(offset, now_ms(), None, value, headers)
            for offset, value in enumerate(values[first : first + BATCH], first)
        ]
        await writer.offer(Batch("events", records, first + len(records)), first)


async def stands_still(offered: Callable[[], int]) -> int:
    """What it comes to in the end."""
    while True:
        before = offered()
        await asyncio.sleep(0.3)
        if offered() == before > 0:
            return before


def transactions_of(broker: MemoryLog, topic: str) -> list[int]:
    """How many records of this topic each of them holds."""
    return [sum(len(entries) for (name, _), entries in sent.items() if name == topic) for sent in broker.transactions]


def partition(chunk_users: int = 4096) -> Partition:
    """Where some users do not live."""
    return Partition(PartitionContext(0, policy(), AffinityScores(), chunk_users=chunk_users, partitions=24))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "headers", "topic", "most"),
    [
        (clicks, [], "changelog", MOST),
        (unreadable, [], "events.dlq", MOST),
        (astray, [], "rerouted", MOST),
        (long, [], "events.dlq", 12 * BATCH),
        (long_clicks, [], "changelog", 4 * BATCH),  # in flight, pending, in the lane, on the way there
        (clicks, [("h", b"h" * 20_000)], "changelog", 4 * BATCH),
        (clicks, [("h" * 20_000, b"")], "changelog", 4 * BATCH),
    ],
)
async def test_what_cannot_be_committed_is_not_taken_in(
    kind: Callable[[int, int], Iterator[bytes]], headers: Sequence[tuple[str, bytes]], topic: str, most: int
) -> None:
    """However many records of a kind there are, the same few are in memory; in the end all of them are written."""
    log, errors, count = SlowLog(), list[BaseException](), 4000
    writer = writer_on(log, partition(), load({}, batch_events=BATCH, commit_window_events=WINDOW), errors)
    if topic == "changelog":
        writer.partition.context = writer.partition.context._replace(partitions=None)
    await writer.start()
    log.answers.clear()
    offering = asyncio.create_task(offer(writer, list(kind(0, count)), headers))
    assert await stands_still(lambda: writer._lanes.expected.get("events", 0)) <= most
    assert not offering.done()
    log.answers.set()
    await offering
    await until(lambda: writer.committed.get("events") == count)
    await writer.stop()
    assert not errors
    assert sum(transactions_of(log.broker, topic)) >= count
    assert max(transactions_of(log.broker, topic)) <= WINDOW + BATCH + 2


@pytest.mark.parametrize(("chunk_users", "window"), [(128, WINDOW), (4096, WINDOW), (128, 4096)])
async def test_an_article_stops_after_each_chunk(chunk_users: int, window: int) -> None:
    """One waits behind a transaction in flight, and would leave even after a stop; a large one goes through in one."""
    log, errors, users = SlowLog(), list[BaseException](), 3000
    broker, state = log.broker, partition(chunk_users)
    state.context = state.context._replace(partitions=None)
    settings = load({}, batch_events=BATCH, commit_window_events=window, chunk_users=chunk_users)
    writer = writer_on(log, state, settings, errors)
    await writer.start()
    await offer(writer, list(clicks(0, users)))
    await until(lambda: writer.committed.get("events") == users)
    values = [msgspec.json.encode(article(name, topic="a", published_at_ms=now_ms(), known_at_ms=now_ms(),
                                          expires_at_ms=now_ms() + 3_600_000)) for name in ("a0", "a1")]  # fmt: skip
    log.answers.clear()
    for offset, value in enumerate(values):
        await writer.offer(Batch("catalog", [RawRecord(offset, now_ms(), None, value)], offset + 1), offset)
    held = await stands_still(lambda: 1 + len(writer._pending.changes.pushes))
    assert held <= min(chunk_users, users) + 1
    log.answers.set()
    await until(lambda: writer.committed.get("catalog") == 2)
    await writer.stop()
    assert not errors
    pushes = transactions_of(broker, "push")
    assert sum(pushes) >= users
    assert max(pushes) <= min(chunk_users, users)


LETTER = DeadLetter("events", 0, 0, "undecodable", "", None, None)
STRAY = Stray(0, 1, "u1", None, 0, ())


NULL_HEADER: Any = [("h", None)]  # Kafka allows it


def test_a_header_without_a_value_is_counted() -> None:
    """Any producer may send one; if counting raised, the record would end one owner of its partition after another."""
    letters, strays = [LETTER._replace(trail=NULL_HEADER)], [STRAY._replace(headers=NULL_HEADER)]
    assert Changes(dead_letters=letters, strays=strays).size() == 2


@given(
    st.lists(st.integers(0, 5000), max_size=5), st.lists(st.integers(0, 5000), max_size=5), st.integers(0, 9),
    st.integers(0, 99),
)  # fmt: skip
def test_what_is_passed_on_counts_once_a_kib(letters: list[int], strays: list[int], typed: int, held: int) -> None:
    """Never less than one each, and never less than its bytes, or those of the records it came from."""
    changes = Changes(
        dead_letters=[LETTER._replace(key=b"k" * size, value=b"v" * size) for size in letters],
        strays=[STRAY._replace(value=b"v" * size, headers=[("h", b"h" * size)]) for size in strays],
        appended_ms=[1] * typed,
        kib=held,
    )
    records, kib = len(letters) + len(strays) + typed, (2 * sum(letters) + 2 * sum(strays)) / 1024
    assert max(records, kib + typed, held) <= changes.size() <= max(records + kib, held)
