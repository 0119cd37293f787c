"""A token endpoint (OAuth 2.0, client credentials) on this machine, whose tokens a broker takes without a signature."""

import json
import ssl
import threading
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote_plus


class Endpoint(ThreadingHTTPServer):
    """Counts what it was asked, and gives tokens of `life_s` seconds to the one client it knows."""

    def __init__(self, client_id: str, secret: str, life_s: float, certificate: Path | None) -> None:
        super().__init__(("127.0.0.1", 0), _Asked)
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.socket, self.scheme = context.wrap_socket(self.socket, server_side=True), "https"
        self.expected = "Basic " + b64encode(f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()).decode()
        self.client_id, self.life_s = client_id, life_s
        self.given, self.forms = 0, list[dict[str, list[str]]]()

    @property
    def url(self) -> str:
        """Its address."""
        return f"{self.scheme}://127.0.0.1:{self.server_port}/token"

    def token(self) -> str:
        """A token as Kafka reads it where it knows no keys."""
        now = time.time()
        claims = {"sub": self.client_id, "iat": now, "exp": now + self.life_s}
        parts = [{"alg": "none"}, claims]
        return ".".join([*(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), ""])


class _Asked(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        self.server.forms.append(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        if self.headers["Authorization"] != self.server.expected:
            self._answer(401, {"error": "invalid_client", "error_description": "no such client"})
            return
        self.server.given += 1
        self._answer(200, {"access_token": self.server.token(), "expires_in": self.server.life_s})

    def _answer(self, code: int, body: dict[str, object]) -> None:
        self.send_response(code)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def token_endpoint(
    client_id: str, secret: str, life_s: float = 300.0, certificate: Path | None = None
) -> Iterator[Endpoint]:
    """An endpoint that answers while the block lasts; with a certificate, by https."""
    with Endpoint(client_id, secret, life_s, certificate) as endpoint:
        thread = threading.Thread(target=endpoint.serve_forever, daemon=True)
        thread.start()
        try:
            yield endpoint
        finally:
            endpoint.shutdown()
