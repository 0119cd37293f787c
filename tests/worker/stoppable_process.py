"""A process that StopSignals stops; run as a script by test_stop_signals.py.

Arguments: whether it has `begun`, which call hangs (`stop`, `fail` or `none`), seconds to stop in, and whether its main
thread `hangs` or is `late`: another thread was there before and does not block the signals.
"""

import os
import sys
import threading
import time

from streamrec.worker.process import stop_signals


class Running:
    """Exits 10 when it is to stop in order and 11 when it is to fail, unless that hangs."""

    def stop_soon(self) -> None:
        """As the worker."""
        if sys.argv[2] == "none":
            os._exit(10)

    def fail(self, error: BaseException) -> None:
        """As the worker."""
        sys.stderr.write(f"{error}\n")
        if sys.argv[2] != "fail":
            os._exit(11)
        sys.stdout.write("failing\n")
        sys.stdout.flush()
        threading.Event().wait()


if __name__ == "__main__":
    if sys.argv[4] == "late":
        threading.Thread(target=threading.Event().wait, daemon=True).start()
    stop_signals.STOP_S = float(sys.argv[3])
    signals = stop_signals.StopSignals()
    if sys.argv[1] == "begun":
        signals.running(Running())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        time.sleep(600 if sys.argv[4] == "hangs" else 0.01)
