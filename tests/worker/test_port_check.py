"""A worker that cannot serve its pages says so in one sentence, before it begins anything."""

import os
import socket
import subprocess
import sys

import pytest
from prometheus_client import CollectorRegistry
from slow_log import SlowLog

from streamrec.content.encoder import HashedEncoder
from streamrec.engine.policy.suppression_reasons import SUPPRESSION_REASONS
from streamrec.errors import SettingsError
from streamrec.models.prior import Prior
from streamrec.observability.metrics import Metrics
from streamrec.settings import load
from streamrec.worker.faust_app.app import build_app
from streamrec.worker.process.port_check import bind_error, check_web_port


def test_a_second_worker_of_a_host_is_told() -> None:
    """One line and exit code 2, no traceback: which setting, where, why, and the cure."""
    with socket.create_server(("127.0.0.1", 0)) as first:
        port = first.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "streamrec", "worker", "--web-port", str(port), "--brokers", "127.0.0.1:1"],
            env={**os.environ, "STREAMREC_BROKER_WAIT_S": "0"},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == (
        f"SettingsError: STREAMREC_WEB_PORT is {port}, where nothing can listen on 127.0.0.1 (Address already in use); "
        "give each worker of a host a port of its own (--web-port), or 0 for no pages\n"
    )


def test_an_address_that_is_not_ours_is_told() -> None:
    """192.0.2.1 is nobody's; a name may be unknown."""
    for host in ("192.0.2.1", "nobody.invalid"):
        with pytest.raises(SettingsError, match=f"STREAMREC_WEB_PORT is 6066, where nothing can listen on {host} \\("):
            check_web_port(load({}, web_host=host, web_port=6066))


def test_no_pages_need_no_port() -> None:
    """0 switches them off, wherever they would have been."""
    check_web_port(load({}, web_host="192.0.2.1", web_port=0))


def test_a_port_is_free_again_when_its_server_is_gone() -> None:
    """As a server restarts: connections that still die away do not count."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert bind_error("127.0.0.1", port)
    assert bind_error("127.0.0.1", port) == ""


async def test_a_port_that_was_free_a_moment_ago_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Two that start at once both found it free: the second ends with the same sentence, and without a traceback."""
    exits: list[int] = []
    monkeypatch.setattr("os._exit", exits.append)
    with socket.create_server(("127.0.0.1", 0)) as first:
        settings = load({}, web_host="127.0.0.1", web_port=first.getsockname()[1])
        app = build_app(
            settings, Prior(), HashedEncoder(), Metrics(CollectorRegistry(), SUPPRESSION_REASONS), SlowLog()
        )
        await app.web.start_server()
        await app.web.stop_server()
    assert exits == [1]
    (said,) = (line for line in caplog.records if line.name == "streamrec.worker.faust_app.worker_app")
    assert said.getMessage().startswith(f"ending: STREAMREC_WEB_PORT is {settings.web_port}, where nothing can listen")
    assert said.exc_info is None
