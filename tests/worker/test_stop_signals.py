"""What signals do to a process, heard from outside it."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("stoppable_process.py")


def stoppable(begun: str, hanging: str, stop_s: str, main: str = "hangs") -> "subprocess.Popen[str]":
    """The script, as soon as it hears signals."""
    process = subprocess.Popen(
        [sys.executable, str(SCRIPT), begun, hanging, stop_s, main],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def ended(process: "subprocess.Popen[str]") -> tuple[int, str]:
    """Its exit code, and what it said."""
    _, said = process.communicate(timeout=60)
    return process.returncode, said


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
def test_nothing_was_begun(which: signal.Signals) -> None:
    """A worker that is told to stop while it starts has nothing to let go of: exit code 0, and no traceback."""
    process = stoppable("not", "none", "60")
    process.send_signal(which)
    assert ended(process) == (0, "")


@pytest.mark.parametrize("main", ["hangs", "late"])
def test_the_first_is_in_order(main: str) -> None:
    """The worker is asked to stop, whatever its main thread does, and whichever thread the signal was given to."""
    process = stoppable("begun", "none", "60", main)
    process.send_signal(signal.SIGTERM)
    assert ended(process) == (10, "")


def test_the_second_does_not_wait() -> None:
    """Whoever is told twice gives up what is not committed, and says so."""
    process = stoppable("begun", "stop", "60")
    process.send_signal(signal.SIGTERM)
    while _pending(process.pid):
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    code, said = ended(process)
    assert code == 11
    assert said == "told to stop a second time; what is not committed is left to the next owner\n"


def test_the_third_kills() -> None:
    """Not even the failing is waited for."""
    process = stoppable("begun", "fail", "0.1")
    process.send_signal(signal.SIGTERM)
    assert process.stdout is not None
    assert process.stdout.readline() == "failing\n"
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 1


def test_what_takes_too_long_is_ended() -> None:
    """Brokers that do not answer hold nobody up: after STOP_S the worker fails by itself."""
    process = stoppable("begun", "stop", "0.2")
    process.send_signal(signal.SIGTERM)
    code, said = ended(process)
    assert code == 11
    assert said.startswith("told to stop 0 s ago")


def _pending(pid: int) -> bool:
    """Whether a signal waits to be heard: two of a kind that wait are one."""
    status = Path(f"/proc/{pid}/status").read_text()
    return any(int(line.split()[1], 16) for line in status.splitlines() if line.startswith(("ShdPnd", "SigPnd")))
