"""`streamrec worker` before there is a worker."""

import signal
import subprocess
import sys
import time
from pathlib import Path

from streamrec.settings import environ_of_others, load, to_environ

NOBODY = "127.0.0.1:1"


def catches(pid: int, number: int) -> bool:
    """Whether a process has a handler of its own for a signal."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (caught,) = (line.split()[1] for line in lines if line.startswith("SigCgt:"))
    return bool(int(caught, 16) >> (number - 1) & 1)


def test_sigterm_ends_a_worker_that_is_still_starting() -> None:
    """At once and with code 0, while it waits for Kafka: as the first process of a container it would not hear it, take
    partitions over later, and be killed.
    """
    environ = environ_of_others() | to_environ(load({}, brokers=NOBODY, broker_wait_s=600.0, web_port=0))
    with subprocess.Popen([sys.executable, "-m", "streamrec", "worker"], env=environ) as worker:
        try:
            while not catches(worker.pid, signal.SIGTERM):
                assert worker.poll() is None
                time.sleep(0.05)
            worker.terminate()
            assert worker.wait(100) == 0
        finally:
            worker.kill()
