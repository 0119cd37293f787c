"""A task nobody waits for ends with a word, or because we wanted it to."""

import asyncio

import pytest

from streamrec.worker.supervision import guarded


@pytest.mark.parametrize("error", [ValueError("a bug"), asyncio.CancelledError(), SystemExit(3)])
async def test_whatever_ends_it_is_told(error: BaseException) -> None:
    """A library's CancelledError, too: the task would be gone, and its work undone for ever."""
    told: list[BaseException] = []

    async def run() -> None:
        raise error

    await asyncio.create_task(guarded(run, told.append))
    assert told == [error]


async def test_our_own_cancelling_is_no_failure() -> None:
    """A partition that is let go is nobody's fault."""
    told: list[BaseException] = []
    task = asyncio.create_task(guarded(asyncio.Event().wait, told.append))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not told
