"""SIGTERM and SIGINT. The first lets a worker end in order, the second ends it without, and the third kills it.

    first    exit code 0 at once where nothing was begun; else what was applied is committed, or STOP_S are over: code 1
    second   what is not committed is left to the next owner; the group is left, exit code 1
    third    nothing is waited for any more, exit code 1

A thread of its own waits for them, so that they are heard whatever the other threads do, and whichever of them hangs.
The first process of a container would ignore those it has no handler for.
"""

import logging
import os
import signal
import threading
from typing import Protocol

from ...errors import KafkaError

log = logging.getLogger(__name__)

SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM})
STOP_S = 7.0  # at most, to commit and to let go; to leave the group takes another second at most


class Stoppable(Protocol):
    """What runs, and has something to let go of."""

    def stop_soon(self) -> None:
        """Begin to end in order; called from any thread."""

    def fail(self, error: BaseException) -> None:
        """End the process, non-zero; called from any thread."""


class StopSignals:
    """Hears the signals from now on, for threads that are started later, too."""

    def __init__(self) -> None:
        self._running: Stoppable | None = None
        self._lock = threading.Lock()  # a signal comes before `running` or after it
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)  # threads inherit it
        hearing = threading.Thread(target=self._hear, name="stop-signals", daemon=True)
        hearing.start()
        for number in SIGNALS:  # a thread that was there before may still be given one
            signal.signal(number, lambda got, _: signal.pthread_kill(hearing.ident or 0, got))

    def running(self, worker: Stoppable) -> None:
        """From now on it is this that a signal stops."""
        with self._lock:
            self._running = worker

    def _hear(self) -> None:
        first = signal.Signals(signal.sigwait(SIGNALS))
        log.info("told to stop by %s", first.name)
        with self._lock:
            if self._running is None:
                logging.shutdown()
                os._exit(0)
        self._running.stop_soon()
        second = signal.sigtimedwait(SIGNALS, STOP_S)
        why = KafkaError("told to stop a second time; what is not committed is left to the next owner")
        late = TimeoutError(f"told to stop {STOP_S:.0f} s ago, and the brokers have not taken everything yet")
        threading.Thread(target=self._running.fail, args=(why if second else late,), daemon=True).start()
        signal.sigwait(SIGNALS)
        os._exit(1)
