"""What a figure was measured with: the last line of every benchmark says it."""

import os
import subprocess
import sys
from pathlib import Path


def measured_on() -> dict[str, str | None]:
    """The commit and the machine, as the last line of a benchmark names them."""
    return {"commit": _commit(), "machine": _machine()}


def _commit() -> str | None:
    """Commit of the checkout that this runs from; None if it runs from none."""
    here = Path(__file__).parent
    command = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def _machine() -> str:
    """The processor, cores and Python of this machine in one line."""
    found = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    name = found[0].split(":")[1].strip() if found else "unknown processor"
    return f"{name}, {os.cpu_count()} cores, Python {sys.version.split()[0]}"
