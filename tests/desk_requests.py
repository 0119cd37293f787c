"""Ask an ASGI application directly, as a server would."""

import asyncio
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import urlencode

Headers = Mapping[str, str] | list[tuple[str, str]]


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str


async def ask(
    app: Any,
    path: str,
    form: Mapping[str, str] | bytes | None = None,
    headers: Headers = (),  # type: ignore[assignment]
    client: str = "127.0.0.1",
    host: str = "127.0.0.1:6070",
) -> Answer:
    """GET, or POST where there is a form."""
    path, _, query = path.partition("?")
    given = list(headers.items()) if isinstance(headers, Mapping) else list(headers)
    body = b"" if form is None else form if isinstance(form, bytes) else urlencode(form).encode()
    sent = [("host", host), ("content-type", "application/x-www-form-urlencoded"), *given]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET" if form is None else "POST",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
        "headers": [(name.lower().encode(), value.encode("utf-8", "surrogateescape")) for name, value in sent],
        "client": (client, 50_000), "server": ("127.0.0.1", 6070),
    }  # fmt: skip
    found: list[dict[str, Any]] = []
    parts = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        message = next(parts, None)
        if message is None:
            await asyncio.sleep(3600)
        assert message is not None
        return message

    async def send(message: Any) -> None:
        found.append(message)

    await app(scope, receive, send)
    start = next(message for message in found if message["type"] == "http.response.start")
    text = b"".join(message.get("body", b"") for message in found if message["type"] == "http.response.body")
    names = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return Answer(start["status"], names, text.decode())


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.found.append((tag, dict(attrs)))


def elements(text: str) -> list[tuple[str, dict[str, str | None]]]:
    """The elements of a page with their attributes, as a browser reads them."""
    parser = _Elements()
    parser.feed(text)
    return parser.found


async def token_of(app: Any, role: str = "chief", name: str = "ann") -> str:
    """The token in the forms of a page that this person gets."""
    page = await ask(app, "/write", headers={"X-User": name, "X-Forwarded-Groups": role})
    found = re.search(r'name="token" value="([^"]+)"', page.text)
    assert found
    return found[1]
