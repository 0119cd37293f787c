"""Ports that tools and tests give their servers: free, each another one, and not those of outgoing connections."""

import socket

import pytest

from streamrec.errors import KafkaError
from streamrec.tools import ports
from streamrec.tools.ports import FIRST_PORT, HOST, LAST_PORT, free_port, is_free


def test_each_call_gives_another_port() -> None:
    """Two workers are made before either listens."""
    chosen = [free_port() for _ in range(100)]
    assert len(set(chosen)) == 100
    assert all(FIRST_PORT <= port < LAST_PORT < 32_768 for port in chosen)


def test_a_port_in_use_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's server listens on the one that would have been next."""
    with socket.socket() as other:
        port = free_port()
        other.bind((HOST, port))
        other.listen()
        assert not is_free(port)
        monkeypatch.setattr(ports, "_next", iter((port - FIRST_PORT, port - FIRST_PORT + 1)))
        monkeypatch.setattr(ports, "is_free", lambda asked: asked == port + 1 or (asked != port and is_free(asked)))
        assert free_port() == port + 1


def test_none_is_an_error_with_a_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """It names the option."""
    monkeypatch.setattr(ports, "LAST_PORT", FIRST_PORT)
    with pytest.raises(KafkaError, match="--port"):
        free_port()
