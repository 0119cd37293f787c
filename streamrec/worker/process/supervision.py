"""Tasks and threads of the worker's own: how one ends that nobody waits for, and one that is cancelled.

guarded(run, fail)     what ends it is told, for a task nobody waits for must not end in silence
cancel_and_wait(tasks) they have ended, whatever becomes of a cancelling
end_if_blocked()       a loop that stands still ends the process, for nothing on it can say so any more
step_back()            a thread that lets the event loop go first, where it may
"""

import asyncio
import contextlib
import faulthandler
import os
import threading
from collections.abc import Awaitable, Callable, Collection
from typing import Any

CANCEL_AGAIN_S = 1.0  # cleaning up takes less
BLOCKED_S = 60.0  # the longest steps take a few seconds
NICENESS = 10


async def guarded(run: Callable[[], Awaitable[None]], fail: Callable[[BaseException], None]) -> None:
    """Tell `fail` of whatever ends `run`, but for our own cancelling.

    A CancelledError need not be that: a library raises it for a task of its own that was cancelled before it began.
    """
    try:
        await run()
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        fail(error)
    except BaseException as error:  # noqa: BLE001 - whatever it is, the process must not go on
        fail(error)


async def cancel_and_wait(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until all of them have ended; what they ended with is left to them.

    One that has not ended after a second is cancelled again: wait_for loses a cancelling that comes as its future ends
    (Python 3.11).
    """
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=CANCEL_AGAIN_S)


async def end_if_blocked() -> None:
    """End the process, with code 1 and where each thread stands, once this loop has not come round for BLOCKED_S."""
    while True:
        faulthandler.dump_traceback_later(BLOCKED_S, exit=True)
        await asyncio.sleep(BLOCKED_S / 10)


def step_back() -> None:
    """Lower the priority of this thread alone, to NICENESS, and leave one that is lower still as it is.

    A sandbox may forbid that (systemd's @resources), and what the thread does must be done all the same.
    """
    thread = threading.get_native_id()
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, thread, max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread)))
