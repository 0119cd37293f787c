"""guarded(run, fail): a task nobody waits for must not end in silence."""

import asyncio
from collections.abc import Awaitable, Callable


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
