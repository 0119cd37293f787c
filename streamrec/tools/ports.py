"""Ports of this machine for servers that a tool or a test starts."""

import os
from itertools import count

from ..errors import KafkaError
from ..worker.process.port_check import bind_error

HOST = "127.0.0.1"
# Below Linux's range for outgoing connections (32768 and up). A port of that range can be gone before the server has
# it; and while a broker is down, a client that keeps connecting to its port can connect to itself and keep it.
FIRST_PORT, LAST_PORT = 20_000, 32_000
_next = count(os.getpid() * 997)  # each process begins elsewhere, so that two do not race


def free_port() -> int:
    """A port nobody listens on, another one at each call; KafkaError where there is none."""
    for _ in range(LAST_PORT - FIRST_PORT):
        port = FIRST_PORT + next(_next) % (LAST_PORT - FIRST_PORT)
        if is_free(port):
            return port
    raise KafkaError(f"no free port between {FIRST_PORT} and {LAST_PORT}; name one with --port")


def is_free(port: int) -> bool:
    """Whether a server could listen on it now."""
    return not bind_error(HOST, port)
