"""Bytes a user costs in memory: a process of its own fills a store and reads its own size."""

import subprocess
import sys
from pathlib import Path

USERS = 200_000
SCRIPT = f"""
from pathlib import Path
from streamrec.engine.profiles.store import ProfileStore
import numpy as np
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
store = ProfileStore()
before = resident()
for start in range(0, {USERS}, 1000):
    rows = store.rows_of([f"user-{{number:08d}}" for number in range(start, start + 1000)], [1] * 1000)
    for column in store.columns.values():
        column[rows] = 1 if column.dtype.names is None else np.ones(1, column.dtype)[0]
print((resident() - before) / {USERS})
"""


def bytes_per_user() -> float:
    """Growth of the resident set per user, index included (Linux)."""
    assert Path("/proc/self/statm").exists(), "needs Linux's /proc"
    done = subprocess.run([sys.executable, "-c", SCRIPT], check=True, capture_output=True, text=True)
    return float(done.stdout)
