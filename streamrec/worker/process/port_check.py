"""Whether a server can listen where it is told to: asked before anything else is begun."""

import socket

from ...errors import SettingsError
from ...settings import Settings


def bind_error(host: str, port: int) -> str:
    """The system's reason why nobody can listen there now; empty if somebody can."""
    try:
        for family, kind, protocol, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
                probe.bind(address)
    except OSError as error:
        return error.strerror or type(error).__name__
    return ""


def check_web_port(settings: Settings) -> None:
    """SettingsError where the worker's pages cannot be served, most often because another worker here has the port."""
    if settings.web_port and (reason := bind_error(settings.web_host, settings.web_port)):
        raise web_port_error(settings, reason)


def web_port_error(settings: Settings, reason: str) -> SettingsError:
    """The error of a worker whose web port is taken or forbidden, with `reason` and what to set instead."""
    return SettingsError(
        f"STREAMREC_WEB_PORT is {settings.web_port}, where nothing can listen on {settings.web_host} ({reason}); "
        "give each worker of a host a port of its own (--web-port), or 0 for no pages"
    )
