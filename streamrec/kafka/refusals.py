"""refusal(error, settings, address): why a broker that answers does not let us in, as one sentence with the cure.

aiokafka raises each of these where a connection is opened, and retries or hides it everywhere else. None: the error
does not say; it looks the same when a broker goes away.
"""

import ssl
from collections.abc import Callable, Iterator
from typing import Any

from aiokafka.errors import (
    AuthenticationFailedError,
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    InvalidTimestampError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
)

from ..errors import StreamrecError
from ..settings import Settings
from .refused_time import wrong_time

# X509_V_ERR_... of OpenSSL
NOT_YET_VALID, EXPIRED, OTHER_HOST, OTHER_ADDRESS = 9, 10, 62, 64
OTHER_AUTHORITY = {2, 18, 19, 20, 21}
WANTED = ("CERTIFICATE_REQUIRED", "HANDSHAKE_FAILURE")  # alerts of a server that was shown no certificate
NOT_TAKEN = ("CERTIFICATE_UNKNOWN", "CERTIFICATE_EXPIRED", "BAD_CERTIFICATE", "UNKNOWN_CA", "CERTIFICATE_REVOKED")


def refusal(error: BaseException, settings: Settings, address: str) -> str | None:
    """The sentence, or None where the broker may only be away."""
    for cause in _causes(error):
        for kind, told in KINDS:
            if isinstance(cause, kind):
                return told(cause, settings, address)
    return None


def denied(error: BaseException) -> str | None:
    """What a client that was let in was refused, as a sentence: an ACL is missing, or a clock is wrong."""
    for cause in _causes(error):
        if isinstance(cause, InvalidTimestampError):
            return wrong_time(cause)
        for kind, what in FORBIDDEN:
            if isinstance(cause, kind):
                names = cause.args[0] if cause.args else ""
                named = ", ".join(sorted(names)) if isinstance(names, set | frozenset) else str(names)
                return (
                    f"{what} {named}".rstrip() + "; `streamrec topics acl` prints the commands that add what is needed"
                )
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    told: list[BaseException] = []  # whoever raises a cause again can make a circle of them
    while error is not None and not any(error is before for before in told):
        yield error
        told.append(error)
        error = error.__cause__


def _untrusted(error: ssl.SSLCertVerificationError, settings: Settings, address: str) -> str:
    code = error.verify_code
    if code == EXPIRED:
        return f"the certificate of {address} has expired; give the brokers a new one"
    if code == NOT_YET_VALID:
        return f"the certificate of {address} is not valid yet; see whether the clocks are right"
    if code in {OTHER_HOST, OTHER_ADDRESS}:
        return (
            f"the certificate of {address} is not for that host; name brokers as their certificates do, in"
            " STREAMREC_BROKERS and in the brokers' advertised.listeners"
        )
    if code in OTHER_AUTHORITY:
        trusted = f"in STREAMREC_SSL_CA_FILE ({settings.ssl_ca_file})" if settings.ssl_ca_file else "of this system"
        cure = "name the right file" if settings.ssl_ca_file else "set STREAMREC_SSL_CA_FILE"
        return f"the certificate of {address} comes from none of the authorities {trusted}; {cure}"
    return f"the certificate of {address} cannot be trusted: {error.verify_message}"


def _alert(error: ssl.SSLError, settings: Settings, address: str) -> str:
    """What the broker said of our side of TLS, before or after the handshake."""
    reason = error.reason or ""
    if reason.endswith(WANTED) and not settings.ssl_certificate_file:
        return f"{address} asks for a client certificate; set STREAMREC_SSL_CERTIFICATE_FILE"
    if reason.endswith((*WANTED, *NOT_TAKEN)):
        return (
            f"{address} does not take the certificate in STREAMREC_SSL_CERTIFICATE_FILE"
            f" ({settings.ssl_certificate_file}): it has expired, or comes from an authority the brokers do not trust"
        )
    if reason in {"WRONG_VERSION_NUMBER", "UNKNOWN_PROTOCOL", "HTTP_REQUEST"}:
        return (
            f"{address} speaks no TLS; STREAMREC_SECURITY_PROTOCOL is {settings.security_protocol}: set another, or"
            " take another port"
        )
    return f"{address} and this client find no common TLS: {reason}"


def _unknown(_: Any, settings: Settings, address: str) -> str:
    if settings.sasl_mechanism == "OAUTHBEARER":
        who = settings.sasl_oauthbearer_client_id
        return (
            f"{address} does not take the token of client '{who}'; see what its broker expects (audience, scope, keys)"
        )
    return (
        f"{address} does not let user '{settings.sasl_username}' in: the name or the password is wrong"
        f" ({settings.sasl_mechanism}; STREAMREC_SASL_USERNAME, STREAMREC_SASL_PASSWORD_FILE)"
    )


def _no_such_mechanism(_: Any, settings: Settings, address: str) -> str:
    return f"{address} does not take {settings.sasl_mechanism}; set STREAMREC_SASL_MECHANISM to one it takes"


def _needless(_: Any, settings: Settings, address: str) -> str:
    right = settings.security_protocol.replace("SASL_", "")
    return f"{address} asks nobody who they are; set STREAMREC_SECURITY_PROTOCOL to {right}, or take another port"


FORBIDDEN = (
    (TopicAuthorizationFailedError, "the cluster refuses what was asked of it: an ACL is missing on topic"),
    (GroupAuthorizationFailedError, "the cluster refuses what was asked of it: the ACL Read is missing on group"),
    (
        TransactionalIdAuthorizationFailed,
        "the cluster refuses a transaction: the ACL Write is missing on transactional-id",
    ),
    (ClusterAuthorizationFailedError, "the cluster refuses what was asked of it: an ACL is missing on the cluster"),
)
KINDS: tuple[tuple[Any, Callable[[Any, Settings, str], str]], ...] = (
    (StreamrecError, lambda error, *_: str(error)),
    (ssl.SSLCertVerificationError, _untrusted),
    (ssl.SSLError, _alert),
    ((SaslAuthenticationFailed, AuthenticationFailedError), _unknown),
    (UnsupportedSaslMechanismError, _no_such_mechanism),
    (IllegalSaslStateError, _needless),
)
