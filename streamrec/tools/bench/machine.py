"""What a figure was measured with: the last line of every benchmark says it."""

import subprocess
from pathlib import Path
from shutil import which

from ...models.machine import this_machine


def measured_on() -> dict[str, str | None]:
    """The commit and the machine, as the last line of a benchmark names them."""
    machine = this_machine()
    return {"commit": _commit(), "machine": f"{machine.processor}, {machine.cores} cores, Python {machine.python}"}


def _commit() -> str | None:
    """Commit of the checkout that this runs from; None if it runs from none, or where there is no git."""
    if which("git") is None:
        return None
    here = Path(__file__).parent
    command = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None
