"""A reverse proxy that has logged people in says who they are, in a header.

Anybody can write a header. So the request has to come from the proxy's address, or carry a secret only the proxy
knows, or both where both are set; and a header that stands there twice is believed in neither spelling.
"""

import hmac
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

from starlette.requests import HTTPConnection

from ...contracts.text import clean_id
from ...errors import SettingsError
from ...settings import Settings
from .person import MOST_NAME_CHARS, Login, NobodyError, Person, highest, roles_of

SECRET_HEADER = "x-desk-secret"  # noqa: S105 - a header's name
SHORTEST_SECRET = 16  # characters


class ProxyLogin(Login):
    """Name and groups from headers, of requests that come from the proxy."""

    def __init__(self, settings: Settings) -> None:
        self._user, self._groups = settings.desk_user_header.lower(), settings.desk_role_header.lower()
        self._roles = roles_of(settings.desk_roles)
        self._secret = secret_in(settings.desk_proxy_secret_file, "STREAMREC_DESK_PROXY_SECRET_FILE")
        self._networks = networks(settings.desk_proxy_addresses)
        if not (self._secret or self._networks):
            raise SettingsError(
                "STREAMREC_DESK_USER_HEADER is believed from a proxy only; set STREAMREC_DESK_PROXY_SECRET_FILE or"
                " STREAMREC_DESK_PROXY_ADDRESSES"
            )

    def person(self, request: HTTPConnection) -> Person:
        if self._networks and not self._is_from_proxy(request):
            raise NobodyError("This desk is reached through its proxy only.")
        if self._secret and not hmac.compare_digest(_one(request, SECRET_HEADER).encode(), self._secret.encode()):
            raise NobodyError("This desk is reached through its proxy only.")
        name = clean_id(_one(request, self._user))[:MOST_NAME_CHARS]
        if not name:
            raise NobodyError("The proxy did not say who you are. Log in there.", 401)
        groups = [part.strip() for value in request.headers.getlist(self._groups) for part in value.split(",")]
        return Person(name, highest(groups, self._roles))

    def _is_from_proxy(self, request: HTTPConnection) -> bool:
        try:
            address = ip_address(request.client.host if request.client else "")
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def _one(request: HTTPConnection, name: str) -> str:
    """The value of a header; empty if it stands there not once."""
    values = request.headers.getlist(name)
    return values[0].encode("latin-1").decode("utf-8", "replace").strip() if len(values) == 1 else ""


def networks(text: str) -> list[IPv4Network | IPv6Network]:
    """Addresses and networks, commas between them. SettingsError for what is none."""
    try:
        return [ip_network(part, strict=False) for part in filter(None, map(str.strip, text.split(",")))]
    except ValueError as error:
        raise SettingsError(
            f"STREAMREC_DESK_PROXY_ADDRESSES: {error}; expected addresses or networks like 10.0.0.0/8"
        ) from None


def secret_in(path: Path | None, setting: str) -> str:
    """The secret in a file; empty without one. SettingsError if it cannot be read or is easily guessed."""
    if path is None:
        return ""
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{setting}: {path} cannot be read: {type(error).__name__}") from None
    if len(secret) < SHORTEST_SECRET:
        raise SettingsError(f"{setting}: {path} holds {len(secret)} characters; expected at least {SHORTEST_SECRET}")
    return secret
