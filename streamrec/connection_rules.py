"""Rules of the settings that say how Kafka is reached: what each may be, and what they cannot have together.

    Servers, Mechanism, Extensions     types of a setting, checked one by one
    contradiction(settings, variable)  what they ask for and cannot have together

Their names are Kafka's own (`security.protocol`, `sasl.mechanism`), those of files librdkafka's (`ssl.ca.location`).
A secret is never a setting: settings name the files that hold them.
"""

import re
from collections.abc import Callable, Iterator
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator

MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER")
BY_PASSWORD = MECHANISMS[:3]
OF_A_KEY = {"ssl_key_file", "ssl_key_password_file"}
Variable = Callable[[str], str]
_SERVER = re.compile(r"(?P<host>\[[0-9a-zA-Z:.%]+\]|[^\s:,/@\[\]]+)(:(?P<port>[0-9]{1,5}))?")
LOCAL = ("localhost", "127.0.0.1", "::1")


def contradiction(settings: Any, variable: Variable) -> str:
    """The first of them as a sentence, empty if there is none; `variable` names the variable of a setting."""
    return next(_contradictions(settings, variable), "")


def _contradictions(settings: Any, variable: Variable) -> Iterator[str]:
    protocol, mechanism = settings.security_protocol, settings.sasl_mechanism
    given = {name for name in settings.model_fields_set if getattr(settings, name)}
    for name in sorted(given):
        for other, right in _belongs_to(name):
            if getattr(settings, other) not in right:
                yield (
                    f"{variable(name)} is set, but {variable(other)} is {getattr(settings, other) or 'not'};"
                    f" set that to {' or '.join(right)}, or unset the other"
                )
        if name in OF_A_KEY and "ssl_certificate_file" not in given:
            yield f"{variable(name)} is set without a certificate; set {variable('ssl_certificate_file')}"
    if "SASL" in protocol and not mechanism:
        name = variable("sasl_mechanism")
        yield f"{variable('security_protocol')} is {protocol}; set {name} to {' or '.join(MECHANISMS)}"
    for name in _needed(mechanism):
        if name not in given:
            yield f"{variable('sasl_mechanism')} is {mechanism}; set {variable(name)}"
    if _is_cleartext(settings.sasl_oauthbearer_token_endpoint_url):
        name = variable("sasl_oauthbearer_token_endpoint_url")
        yield f"{name} begins with http://; expected https://, since the client secret is sent there"


def _belongs_to(name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Settings, and the values they must have where this one is set."""
    if name.startswith("ssl_"):
        yield "security_protocol", ("SSL", "SASL_SSL")
    if name.startswith("sasl_"):
        yield "security_protocol", ("SASL_SSL", "SASL_PLAINTEXT")
    if name.startswith("sasl_oauthbearer_"):
        yield "sasl_mechanism", ("OAUTHBEARER",)
    if name in {"sasl_username", "sasl_password_file"}:
        yield "sasl_mechanism", BY_PASSWORD


def _needed(mechanism: str) -> tuple[str, ...]:
    if mechanism == "OAUTHBEARER":
        return tuple(f"sasl_oauthbearer_{name}" for name in ("token_endpoint_url", "client_id", "client_secret_file"))
    return ("sasl_username", "sasl_password_file") if mechanism else ()


def _is_cleartext(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname not in LOCAL


def extensions(text: str) -> dict[str, str]:
    """SASL extensions written `name=value,name=value`; ValueError where they are not."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair]
    if not all(name.strip().isalpha() and value.strip() for name, _, value in pairs):
        raise ValueError("expected name=value,... with letters in names (logicalCluster=lkc-1,identityPoolId=pool-1)")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _servers(text: str) -> str:
    """Without blanks around them. A port that is left out is 9092, Kafka's own."""
    servers = [server.strip() for server in text.split(",")]
    for found in map(_SERVER.fullmatch, servers):
        if found is None or not 1 <= int(found["port"] or 9092) <= 65_535:
            raise ValueError("expected host:port,... with ports between 1 and 65535, an IPv6 address in brackets")
    return ",".join(servers)


def _mechanism(name: str) -> str:
    if name not in {"", *MECHANISMS}:
        raise ValueError(f"expected one of {', '.join(MECHANISMS)}")
    return name


def _extensions(text: str) -> str:
    extensions(text)
    return text


Servers = Annotated[str, AfterValidator(_servers)]
Mechanism = Annotated[str, AfterValidator(_mechanism)]
Extensions = Annotated[str, AfterValidator(_extensions)]
