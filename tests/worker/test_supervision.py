"""A task nobody waits for ends with a word, or because we wanted it to."""

import asyncio
import subprocess
import sys

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


@pytest.mark.parametrize(("blocked_s", "code"), [(0.4, 0), (60.0, 1)])
def test_a_loop_that_stands_still_ends_the_process(blocked_s: float, code: int) -> None:
    """And says where, to a supervisor that looks at exit codes alone; one that comes round again lives."""
    program = f"""
import asyncio, time
from streamrec.worker import supervision
supervision.BLOCKED_S = 2.0
async def main():
    watch = asyncio.create_task(supervision.end_if_blocked())
    for _ in range(8):
        await asyncio.sleep(0)
        time.sleep({blocked_s})
        await asyncio.sleep(0.25)
asyncio.run(main())
"""
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True, timeout=100)
    assert ended.returncode == code, ended.stderr
    assert ("in main" in ended.stderr) == bool(code)
