"""Whoever is not let in reads one sentence that says why, and the command ends."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from certificates import DAY
from secured_commands import streamrec, told
from secured_kafka import KEY_PASSWORD, NOBODY_LISTENS, SecuredKafka

from streamrec.settings import Settings

pytestmark = pytest.mark.kafka
Made = Callable[[SecuredKafka], Settings]


def way(right: str, **wrong: Any) -> Made:
    """Settings of one way with something wrong; a value may be made of the broker."""

    def made(kafka: SecuredKafka) -> Settings:
        return kafka.settings(right, **{name: of(kafka) if callable(of) else of for name, of in wrong.items()})

    return made


def certificate(authority: str, **more: Any) -> Made:
    """A client with a certificate that is no good."""

    def made(kafka: SecuredKafka) -> Settings:
        path = getattr(kafka, authority).issue("another", password=KEY_PASSWORD, **more)
        return kafka.settings("MUTUAL", ssl_certificate_file=path)

    return made


REFUSED: dict[str, tuple[Made, str]] = {
    "a wrong password of PLAIN": (
        way("SASL_SSL PLAIN", sasl_password_file=lambda kafka: kafka.file("wrong")),
        "does not let user 'robot' in: the name or the password is wrong (PLAIN; STREAMREC_SASL_USERNAME,",
    ),
    "a wrong password of SCRAM": (
        way("SASL_SSL SCRAM-SHA-512", sasl_password_file=lambda kafka: kafka.file("wrong")),
        "does not let user 'robot' in: the name or the password is wrong (SCRAM-SHA-512; STREAMREC_SASL_USERNAME,",
    ),
    "a user nobody knows": (way("SASL_SSL SCRAM-SHA-256", sasl_username="nobody"), "does not let user 'nobody' in"),
    "a wrong client secret": (
        way("SASL_SSL OAUTHBEARER", sasl_oauthbearer_client_secret_file=lambda kafka: kafka.file("wrong")),
        "gives client 'oauth-robot' no token: it answers 401 invalid_client",
    ),
    "no token endpoint": (
        way("SASL_SSL OAUTHBEARER", sasl_oauthbearer_token_endpoint_url=NOBODY_LISTENS),
        f"the token endpoint {NOBODY_LISTENS} gives client 'oauth-robot' no token: ",
    ),
    "an expired certificate of the broker": (way("EXPIRED"), "has expired; give the brokers a new one"),
    "a certificate for another host": (way("ELSEWHERE"), "is not for that host; name brokers as their certificates do"),
    "a foreign authority": (
        way("SSL", ssl_ca_file=lambda kafka: kafka.foreign.file),
        "comes from none of the authorities in STREAMREC_SSL_CA_FILE",
    ),
    "no client certificate": (
        way("SSL", brokers=lambda kafka: kafka.broker.address("MUTUAL")),
        "asks for a client certificate; set STREAMREC_SSL_CERTIFICATE_FILE",
    ),
    "a foreign client certificate": (certificate("foreign"), "does not take the certificate in STREAMREC_SSL_CERT"),
    "an expired client certificate": (certificate("ours", ends=-DAY), "does not take the certificate in STREAMREC_SSL"),
    "a wrong password of the key": (
        way("MUTUAL", ssl_key_password_file=lambda kafka: kafka.file("wrong")),
        "expected a certificate in PEM, with the private key that belongs to it and that key's password",
    ),
    "no TLS where it is wanted": (
        way("SASL_PLAINTEXT PLAIN", brokers=lambda kafka: kafka.broker.address("SASL_SSL"), broker_wait_s=1.0),
        "STREAMREC_SECURITY_PROTOCOL is SASL_PLAINTEXT: set what this port speaks",
    ),
    "no password where one is wanted": (
        way("PLAINTEXT", brokers=lambda kafka: kafka.broker.address("SASL_PLAINTEXT"), broker_wait_s=1.0),
        "hangs up (waited 1 s); STREAMREC_SECURITY_PROTOCOL is PLAINTEXT: set what this port speaks",
    ),
    "a password where nobody asks for one": (
        way("SASL_SSL PLAIN", brokers=lambda kafka: kafka.broker.address("SSL")),
        "asks nobody who they are; set STREAMREC_SECURITY_PROTOCOL to SSL",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_command_says_why(what: str, secured: SecuredKafka) -> None:
    """On one line, with exit code 2, no traceback and no secret."""
    made, expected = REFUSED[what]
    done = streamrec(made(secured), "topics", "check")
    said = told(done.stdout, done.stderr)
    assert expected in said
    last = said.splitlines()[-1]
    assert last.startswith(("KafkaError: ", "SettingsError: "))
    assert expected in last
    assert "Traceback" not in said
    assert done.returncode == 2


async def test_a_token_the_broker_does_not_take(secured: SecuredKafka) -> None:
    """Such a broker's answer is a welcome to aiokafka."""
    settings = secured.settings("SASL_SSL OAUTHBEARER", sasl_oauthbearer_scope="another endpoint to the cache")
    life_s, secured.tokens.life_s = secured.tokens.life_s, -60.0
    try:
        done = await asyncio.to_thread(streamrec, settings, "topics", "check")
    finally:
        secured.tokens.life_s = life_s
    assert "does not take the token of client 'oauth-robot'" in told(done.stderr)
    assert done.returncode == 2


@pytest.mark.parametrize("command", ["worker", "audit", "watch"])
def test_every_command_ends(command: str, secured: SecuredKafka) -> None:
    """None waits for a cluster that does not let it in."""
    settings = secured.settings("SASL_SSL PLAIN", sasl_password_file=secured.file("wrong"))
    done = streamrec(settings, command)
    said = told(done.stdout, done.stderr)
    assert said.splitlines()[-1].startswith("KafkaError: ")
    assert "the name or the password is wrong" in said
    assert "Traceback" not in said
    assert done.returncode == 2
