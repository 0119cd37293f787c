"""What is offered is taken once, in order, whatever the deliveries and however the batches are joined."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamrec.contracts.records import RawRecord
from streamrec.errors import StateError
from streamrec.intake import Batch
from streamrec.worker.lanes import OFFERED, Lanes

Delivery = tuple[int, int]  # records delivered again, records that are new


def events(first: int, end: int) -> Batch:
    """Records `first` to `end - 1`."""
    return Batch("events", [RawRecord(offset, offset, None, b"") for offset in range(first, end)], end)


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=30), st.integers(1, 12), st.data())
def test_each_record_is_taken_once_and_in_order(deliveries: list[Delivery], at_most: int, data: st.DataObject) -> None:
    """Some are delivered again; some batches have no records; takes happen in between."""

    async def run() -> None:
        lanes, taken, at = Lanes(0), list[int](), 0
        for again, new in deliveries:
            start = max(0, at - again)
            assert await lanes.put(events(start, at + new), start) is (new > 0)
            at += new
            while lanes and (not lanes.has("events", OFFERED) or data.draw(st.booleans())):
                batch = lanes.take("events", at_most)
                assert batch.next_offset == batch.records[-1].offset + 1
                taken += [record.offset for record in batch.records]
        while lanes:
            taken += [record.offset for record in lanes.take("events", at_most).records]
        assert taken == list(range(at))

    asyncio.run(run())


async def test_batches_are_joined_up_to_a_size_and_never_cut() -> None:
    """A batch above the size comes alone."""
    lanes = Lanes(0)
    for first, end in ((0, 7), (7, 9), (9, 11), (11, 12)):
        await lanes.put(events(first, end), first)
    assert [len(lanes.take("events", 4).records) for _ in range(3)] == [7, 4, 1]


async def test_joined_batches_keep_what_is_known_as_poison() -> None:
    """Put back, and taken again with others: the culprits of all stay marked."""
    lanes = Lanes(0)
    lanes.put_back([events(0, 2)._replace(poison=(1,)), events(2, 4)._replace(poison=(2, 3))])
    assert lanes.take("events", 9).poison == [1, 2, 3]


async def test_a_gap_is_refused() -> None:
    """Records between what was offered and what is would be lost."""
    lanes = Lanes(3)
    await lanes.put(events(0, 2), 0)
    with pytest.raises(StateError, match="events-3: expected offset 2, got 4; records are missing"):
        await lanes.put(events(4, 5), 4)


async def test_a_full_lane_waits_for_room_and_a_closed_one_takes_nothing() -> None:
    """Back-pressure ends with the partition."""
    lanes = Lanes(0)
    for at in range(OFFERED):
        await lanes.put(events(at, at + 1), at)
    waiting = [asyncio.create_task(lanes.put(events(OFFERED, OFFERED + 1), OFFERED)) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(task.done() for task in waiting)
    lanes.take("events", 1)
    assert await waiting[0] is True
    lanes.close()
    assert await waiting[1] is False
