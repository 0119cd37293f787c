"""What is offered is taken once, in order, whatever the deliveries and however the batches are joined."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrec.contracts.records import RawRecord
from streamrec.errors import StateError
from streamrec.partition.intake import Batch
from streamrec.worker.writing.lanes import FULL_BATCHES, Lanes

Delivery = tuple[int, int]  # records delivered again, records that are new


ROOM = FULL_BATCHES  # of batches of one record


Headers = Sequence[tuple[str, bytes]]


def events(first: int, end: int, value: bytes = b"", key: bytes | None = None, headers: Headers = ()) -> Batch:
    """Records `first` to `end - 1`."""
    return Batch("events", [RawRecord(offset, offset, key, value, headers) for offset in range(first, end)], end)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=30), st.integers(1, 12), st.data())
def test_each_record_is_taken_once_and_in_order(deliveries: list[Delivery], at_most: int, data: st.DataObject) -> None:
    """Some are delivered again; some batches have no records; takes happen in between."""

    async def run() -> None:
        lanes, taken, at = Lanes(0, 1), list[int](), 0
        for again, new in deliveries:
            start = max(0, at - again)
            assert await lanes.put(events(start, at + new), start) is (new > 0)
            at += new
            while lanes and (lanes.has("events", ROOM) or data.draw(st.booleans())):
                batch = lanes.take("events", at_most)
                assert batch.next_offset == batch.records[-1].offset + 1
                taken += [record.offset for record in batch.records]
        while lanes:
            taken += [record.offset for record in lanes.take("events", at_most).records]
        assert taken == list(range(at))

    asyncio.run(run())


async def test_batches_are_joined_up_to_a_size_and_never_cut() -> None:
    """A batch above the size comes alone."""
    lanes = Lanes(0, 1000)
    for first, end in ((0, 7), (7, 9), (9, 11), (11, 12)):
        await lanes.put(events(first, end), first)
    assert [len(lanes.take("events", 4).records) for _ in range(3)] == [7, 4, 1]


async def test_a_batch_says_how_much_it_is() -> None:
    """Taken, it is held until its commit; joined with others it is as much as all of them."""
    lanes = Lanes(0, 1000)
    for at in range(2):
        await lanes.put(events(at, at + 1, bytes(3 * 1024)), at)
    assert lanes.take("events", 9).kib == 6


async def test_joined_batches_keep_what_is_known_as_poison() -> None:
    """Put back, and taken again with others: the culprits of all stay marked."""
    lanes = Lanes(0, 1000)
    lanes.put_back([events(0, 2)._replace(poison=(1,)), events(2, 4)._replace(poison=(2, 3))])
    assert lanes.take("events", 9).poison == [1, 2, 3]


async def test_a_gap_is_refused() -> None:
    """Records between what was offered and what is would be lost."""
    lanes = Lanes(3, 1000)
    await lanes.put(events(0, 2), 0)
    with pytest.raises(StateError, match="events-3: expected offset 2, got 4; records are missing"):
        await lanes.put(events(4, 5), 4)


async def test_a_full_lane_waits_for_room_and_a_closed_one_takes_nothing() -> None:
    """Back-pressure ends with the partition."""
    lanes = Lanes(0, 1)
    for at in range(ROOM):
        await lanes.put(events(at, at + 1), at)
    waiting = [asyncio.create_task(lanes.put(events(ROOM, ROOM + 1), ROOM)) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    lanes.take("events", 1)
    assert await waiting[0] is True
    lanes.close()
    assert await waiting[1] is False


@pytest.mark.parametrize(
    ("batches", "full"),
    [
        pytest.param([events(0, 3), events(3, 7)], False, id="few records"),
        pytest.param([events(0, 3), events(3, 8)], True, id="as many as there is room for"),
        pytest.param([events(0, 1, bytes(5000)), events(1, 2, bytes(3 * 1024))], False, id="7 KiB"),
        pytest.param([events(0, 1, bytes(5 * 1024)), events(1, 2, bytes(3 * 1024))], True, id="8 KiB"),
        pytest.param([events(0, 1, key=bytes(8 * 1024))], True, id="long keys"),
        pytest.param([events(0, 1, headers=[("h", bytes(8 * 1024))])], True, id="long headers"),
        pytest.param([events(0, 1, headers=[("h" * 8 * 1024, b"")])], True, id="long names of headers"),
        pytest.param([Batch("events", [], at + 1) for at in range(7)], False, id="nothing but markers"),
        pytest.param([Batch("events", [], at + 1) for at in range(8)], True, id="markers are bounded, too"),
    ],
)
async def test_what_counts_are_records_and_kib(batches: list[Batch], full: bool) -> None:
    """However many batches they come in; and what is taken counts no more."""
    lanes, start = Lanes(0, 1), 0
    for batch in batches:
        await lanes.put(batch, start)
        start = batch.next_offset
    waiting = asyncio.create_task(lanes.put(events(start, start + 1), start))
    await asyncio.sleep(0)
    assert waiting.done() is not full
    lanes.take("events", 99)
    assert await waiting is True
    lanes.put_back(batches)
    assert lanes.has("events", 99) is full
