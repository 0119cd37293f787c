"""connection(settings): where the cluster is and how it is reached, as arguments of any of aiokafka's clients.

What they need besides the settings is read from files: authorities and certificates into a TLS context, passwords and
secrets. A file that cannot be read is a SettingsError with the name of its variable, and never shows what it holds.
"""

import logging
import ssl
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ..connection_rules import extensions
from ..errors import SettingsError
from ..settings import PREFIX, Settings
from . import answer_timeout  # noqa: F401 - of every client that is told how to connect
from .tokens import Endpoint, Tokens, tokens_of


class _Once(logging.Filter):
    """Of aiokafka's warning that PLAIN without TLS shows the password, one is enough: it comes with each connection."""

    def __init__(self) -> None:
        super().__init__()
        self._said = False

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is another, or the first of these."""
        if not str(record.msg).endswith("in the clear"):
            return True
        first, self._said = not self._said, True
        return first


logging.getLogger("aiokafka.conn").addFilter(_Once())


def connection(settings: Settings) -> dict[str, Any]:
    """Arguments that say where the cluster is and how it is reached. SettingsError where a file cannot be read."""
    if settings.security_protocol == "PLAINTEXT":
        return {"bootstrap_servers": settings.brokers}
    return {
        "bootstrap_servers": settings.brokers,
        "security_protocol": settings.security_protocol,
        "ssl_context": tls(settings),
        **_sasl(settings),
    }


def _sasl(settings: Settings) -> dict[str, Any]:
    if not settings.sasl_mechanism:
        return {}
    if settings.sasl_mechanism == "OAUTHBEARER":
        return {"sasl_mechanism": "OAUTHBEARER", "sasl_oauth_token_provider": tokens(settings)}
    return {
        "sasl_mechanism": settings.sasl_mechanism,
        "sasl_plain_username": settings.sasl_username,
        "sasl_plain_password": secret(settings, "sasl_password_file"),
    }


def tokens(settings: Settings) -> Tokens:
    """Where tokens of OAUTHBEARER come from: one for all clients of the process, which share what was fetched."""
    ca_file = settings.sasl_oauthbearer_ca_file
    return tokens_of(
        Endpoint(
            settings.sasl_oauthbearer_token_endpoint_url,
            settings.sasl_oauthbearer_client_id,
            secret(settings, "sasl_oauthbearer_client_secret_file"),
            settings.sasl_oauthbearer_scope,
            tuple(extensions(settings.sasl_oauthbearer_extensions).items()),
            _context(_Files("sasl_oauthbearer_ca_file", ca_file, ca_file and _changed_at(ca_file))),
        )
    )


def secret(settings: Settings, name: str) -> str:
    """What stands in the file of this setting, without the end of its line; SettingsError if there is nothing."""
    path = getattr(settings, name)
    try:
        found = str(path.read_text("utf-8")).removesuffix("\n").removesuffix("\r")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(_cannot_read(name, path, error)) from None
    if not found:
        raise SettingsError(f"{PREFIX}{name.upper()} is '{path}', which is empty")
    return found


class _Files(NamedTuple):
    """What a TLS context is made of, and when the files were changed: a new certificate makes a new one."""

    name: str
    ca: Path | None
    stamp: Any
    certificate: Path | None = None
    key: Path | None = None
    password: str = ""
    named: bool = True

    def __repr__(self) -> str:
        return f"_Files({self.ca}, {self.certificate}, {self.key})"


def tls(settings: Settings) -> ssl.SSLContext | None:
    """The TLS context of these settings, None where they want none. SettingsError where a file cannot be used."""
    if "SSL" not in settings.security_protocol:
        return None
    paths = settings.ssl_ca_file, settings.ssl_certificate_file, settings.ssl_key_file
    return _context(
        _Files(
            "ssl_ca_file",
            settings.ssl_ca_file,
            tuple(path and _changed_at(path) for path in paths),
            settings.ssl_certificate_file,
            settings.ssl_key_file,
            secret(settings, "ssl_key_password_file") if settings.ssl_key_password_file else "",
            settings.ssl_endpoint_identification_algorithm == "https",
        )
    )


@lru_cache(maxsize=8)
def _context(files: _Files) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(ssl.Purpose.SERVER_AUTH, cafile=files.ca)
    except OSError as error:  # ssl's errors are OSErrors
        raise SettingsError(_cannot_read(files.name, files.ca, error)) from None
    context.check_hostname = files.named
    if files.certificate:
        try:
            # a callback, since without a password OpenSSL would ask at the terminal
            context.load_cert_chain(files.certificate, files.key, lambda: files.password)
        except OSError as error:
            raise SettingsError(_cannot_read("ssl_certificate_file", files.certificate, error, _KEY)) from None
    return context


_KEY = "expected a certificate in PEM, with the private key that belongs to it and that key's password"


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0  # told when it is read


def _cannot_read(name: str, path: Path | None, error: Exception, expected: str = "expected certificates in PEM") -> str:
    why = getattr(error, "strerror", None) if not isinstance(error, ssl.SSLError) else expected
    return f"{PREFIX}{name.upper()} is '{path}', which cannot be used: {why or 'it is no text'}"
