"""A task nobody waits for ends with a word, or because we wanted it to."""

import asyncio
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from streamrec.worker.process.supervision import NICENESS, guarded, step_back


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
from streamrec.worker.process import supervision
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


def niceness() -> int:
    """Of this thread."""
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.parametrize("given", [NICENESS - 1, 19])
def test_a_thread_steps_back_and_never_forward(given: int) -> None:
    """A process that was started with less priority may not have more, and its thread would not begin."""
    given = max(given, niceness())

    def steps() -> int:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), given)
        step_back()
        return niceness()

    with ThreadPoolExecutor(1) as threads:
        assert threads.submit(steps).result() == max(given, NICENESS)


def test_where_it_may_not_step_back_it_works_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """A seccomp filter answers EPERM; a worker without models because of that would be worse."""

    def forbidden(*_: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "setpriority", forbidden)
    with ThreadPoolExecutor(1, initializer=step_back) as threads:
        assert threads.submit(niceness).result() == niceness()
