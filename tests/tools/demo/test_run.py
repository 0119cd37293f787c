"""The demo as a process: it ends by itself, says all it has to say once, and leaves nothing behind."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from streamrec.settings import load
from streamrec.tools.demo.run import demo_settings

pytestmark = pytest.mark.kafka


def test_the_demo_ends_by_itself(kafka: str, tmp_path: Path) -> None:
    """A few live seconds into a pipe: exit code 0, plain lines, the summary once, no process and no folder left."""
    environ = {**os.environ, "STREAMREC_BROKERS": kafka, "TMPDIR": str(tmp_path), "FORCE_COLOR": ""}
    done = subprocess.run(
        [sys.executable, "-m", "streamrec", "demo", "--seconds", "4", "--users", "300"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert not set("\x1b\r") & set(done.stdout)
    assert done.stdout.count("what it was worth") == 1
    assert " started again: 0\n" in done.stdout
    assert "push policy: loosened, so that a minute shows something: 10 s between two pushes" in done.stdout
    assert "why none: the time was short" in done.stdout or "as shipped: at most" in done.stdout
    (pid,) = {line.split()[2].rstrip(",") for line in done.stdout.splitlines() if line.startswith("worker: pid")}
    assert not Path(f"/proc/{pid}").exists()
    assert "desk: http://127.0.0.1:" in done.stdout
    assert not list(tmp_path.glob("streamrec-demo-*"))


def test_what_the_user_has_set_stands(tmp_path: Path) -> None:
    """The demo's short times give way to a variable; only where the log is, is the demo's to say."""
    given = load({}, brokers="127.0.0.1:1", min_interval_s=77.0, log_format="json")
    settings = demo_settings(given, tmp_path)
    assert (settings.min_interval_s, settings.session_gap_s) == (77.0, 0.0)
    assert (settings.brokers, settings.log_format) == ("127.0.0.1:1", "text")
