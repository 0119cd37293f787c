"""Tokens of OAUTHBEARER: fetched by client credentials (RFC 6749, 4.4), shared, and fetched again before they end.

All clients of a process share one token, whatever thread they run in. It is replaced when RENEW_AT of its life is over,
as Kafka's own clients do (`sasl.login.refresh.window.factor`). While the endpoint is away the token is used to its end.
"""

import asyncio
import json
import ssl
import threading
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote_plus, urlencode

from aiokafka.abc import AbstractTokenProvider

from ..clock import monotonic_s
from ..errors import KafkaError

RENEW_AT = 0.8
DEFAULT_LIFE_S = 300.0  # of a token whose endpoint does not say how long it lives
ANSWER_S = 10.0


class NoTokenError(KafkaError, OSError):
    """The endpoint gives none. To aiokafka it is a broker that cannot be reached just now."""


class Endpoint(NamedTuple):
    """Where tokens come from, and who asks for them."""

    url: str
    client_id: str
    client_secret: str
    scope: str
    extensions: tuple[tuple[str, str], ...]
    context: ssl.SSLContext

    def __repr__(self) -> str:
        return f"Endpoint({self.url}, {self.client_id})"

    def fetch(self) -> tuple[str, float]:
        """A token and how many seconds it lives. NoTokenError, with the endpoint's own reason, where none is given."""
        form = {"grant_type": "client_credentials", **({"scope": self.scope} if self.scope else {})}
        who = b64encode(f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}".encode()).decode()
        request = urllib.request.Request(  # noqa: S310 - the setting takes http and https only
            self.url, urlencode(form).encode(), {"Authorization": f"Basic {who}", "Accept": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=ANSWER_S, context=self.context) as answer:  # noqa: S310
                found = json.loads(answer.read())
            return str(found["access_token"]), float(found.get("expires_in") or DEFAULT_LIFE_S)
        except urllib.error.HTTPError as error:
            raise NoTokenError(f"{self._nothing}: it answers {error.code} {_reason(error)}".rstrip()) from None
        except OSError as error:
            raise NoTokenError(f"{self._nothing}: {_away(getattr(error, 'reason', None) or error)}") from None
        except (ValueError, KeyError, TypeError):
            raise NoTokenError(f"{self._nothing}: its answer is no JSON with an access_token") from None

    @property
    def _nothing(self) -> str:
        return f"the token endpoint {self.url} gives client '{self.client_id}' no token"


def _away(reason: object) -> str:
    if isinstance(reason, ssl.SSLCertVerificationError):
        cure = "STREAMREC_SASL_OAUTHBEARER_CA_FILE names the authorities it may come from"
        return f"its certificate is not trusted ({reason.verify_message}); {cure}"
    return str(reason)


def _reason(error: urllib.error.HTTPError) -> str:
    """The error codes of RFC 6749, 5.2, as `invalid_client`; nothing else of the answer."""
    try:
        said = json.loads(error.read())["error"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return said if isinstance(said, str) and said.replace("_", "").isalpha() else ""


class Tokens(AbstractTokenProvider):  # type: ignore[misc]
    """The token of one endpoint, as aiokafka asks for it at each connection."""

    def __init__(self, endpoint: Endpoint, now_s: Callable[[], float] = monotonic_s) -> None:
        self._endpoint, self._now_s = endpoint, now_s
        self._lock = threading.Lock()  # Faust's consumer has a thread and a loop of its own
        self._token, self._renew_s, self._ends_s = "", 0.0, 0.0

    async def token(self) -> str:
        """The token; NoTokenError where there is none that is still good."""
        return await asyncio.to_thread(self.current)

    def extensions(self) -> dict[str, str]:
        return dict(self._endpoint.extensions)

    def current(self) -> str:
        """The same, for a thread that may wait."""
        with self._lock:
            if self._token and self._now_s() < self._renew_s:
                return self._token
            try:
                token, life_s = self._endpoint.fetch()
            except NoTokenError:
                if self._token and self._now_s() < self._ends_s:
                    return self._token
                raise
            now_s = self._now_s()
            self._token, self._renew_s, self._ends_s = token, now_s + RENEW_AT * life_s, now_s + life_s
            return token


@lru_cache(maxsize=8)
def tokens_of(endpoint: Endpoint) -> Tokens:
    """The one that all clients of this endpoint share."""
    return Tokens(endpoint)
