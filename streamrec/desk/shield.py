"""What surrounds every answer of the desk: headers, a bound on what is sent, and that forms come from its own pages.

Pure ASGI: it sees each request before the pages do, and no page can forget it.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BODY_BYTES = 65_536
ASKING = frozenset({"GET", "HEAD"})

HEADERS = {
    # no inline script or style, nothing from elsewhere, in nobody's frame
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # "no-referrer" would also take the origin from our own forms
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class TooLargeError(Exception):
    """More was sent than any form of the desk holds."""


class Shield:
    """Headers on every answer; a request that is too large, or a form of another site, is refused here."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, read = Headers(scope=scope), 0

        async def bounded() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > MOST_BODY_BYTES:
                raise TooLargeError
            return message

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                sent = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    sent[name] = value
                # after an upgrade nobody works with the files of before
                sent["Cache-Control"] = "no-cache" if scope["path"].startswith("/static/") else "no-store"
            await send(message)

        if scope["method"] not in ASKING and not from_own_page(headers):
            refused = PlainTextResponse("This form was sent by another site; nothing was done.", 403)
            await refused(scope, receive, with_headers)
            return
        try:
            await self._app(scope, bounded, with_headers)
        except TooLargeError:
            await PlainTextResponse("That is more than a form holds; nothing was done.", 413)(
                scope, receive, with_headers
            )


def from_own_page(headers: Headers) -> bool:
    """What the browser says of where a form came from; where it says nothing, the token in the form does."""
    site = headers.get("sec-fetch-site")
    return site is None or site == "same-origin"
