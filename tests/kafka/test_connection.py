"""Settings become arguments of clients; files are read, and what they hold is never shown."""

import os
import ssl
from pathlib import Path
from typing import Any

import pytest
from certificates import Authority

from streamrec.errors import SettingsError
from streamrec.kafka.connection import connection, tls
from streamrec.settings import Settings, load


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority of this test's own."""
    return Authority.made(tmp_path, "ours")


def by_password(path: Path, **more: Any) -> Settings:
    """SCRAM without TLS."""
    given = {"security_protocol": "SASL_PLAINTEXT", "sasl_mechanism": "SCRAM-SHA-512", "sasl_username": "robot"}
    return load({}, **given, sasl_password_file=path, **more)


def test_plaintext_is_an_address_and_nothing_else() -> None:
    """As it was before there was anything else."""
    assert connection(load({}, brokers="a:1,b:2")) == {"bootstrap_servers": "a:1,b:2"}


@pytest.mark.parametrize("ending", ["", "\n", "\r\n"])
def test_a_password_is_what_stands_in_its_file(tmp_path: Path, ending: str) -> None:
    """Without the end of the line that editors leave; blanks belong to it."""
    path = tmp_path / "password"
    path.write_bytes(f" pass word {ending}".encode())
    given = connection(by_password(path))
    assert (given["sasl_plain_username"], given["sasl_plain_password"]) == ("robot", " pass word ")


def test_a_password_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The variable, the file and the reason."""
    path = tmp_path / "password"
    with pytest.raises(SettingsError, match=r"STREAMREC_SASL_PASSWORD_FILE is '.*password', .*: No such file"):
        connection(by_password(path))
    path.write_text("\n")
    with pytest.raises(SettingsError, match=r"STREAMREC_SASL_PASSWORD_FILE is '.*password', which is empty"):
        connection(by_password(path))
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="it is no text"):
        connection(by_password(path))


def test_host_names_are_checked_unless_the_setting_says_otherwise(authority: Authority) -> None:
    """The certificate itself is checked in any case."""
    settings = load({}, security_protocol="SSL", ssl_ca_file=authority.file)
    context, lax = tls(settings), tls(settings.changed(ssl_endpoint_identification_algorithm="none"))
    assert context is not None
    assert lax is not None
    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert (lax.check_hostname, lax.verify_mode) == (False, ssl.CERT_REQUIRED)


def test_a_context_is_made_once_and_again_when_a_file_changes(authority: Authority) -> None:
    """A consumer is made for each look at a log; a renewed certificate counts from the next client on."""
    settings = load({}, security_protocol="SSL", ssl_ca_file=authority.file)
    first = tls(settings)
    assert tls(settings) is first
    later = authority.file.stat().st_mtime + 10
    os.utime(authority.file, (later, later))
    assert tls(settings) is not first


@pytest.mark.parametrize("name", ["ssl_ca_file", "ssl_certificate_file", "ssl_key_file"])
def test_a_file_that_is_no_certificate_is_named(authority: Authority, tmp_path: Path, name: str) -> None:
    """With the variable, and with what was expected."""
    good = authority.issue("robot")
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    files = {"ssl_ca_file": authority.file, "ssl_certificate_file": good, "ssl_key_file": good, name: bad}
    said = "STREAMREC_SSL_CA_FILE" if name == "ssl_ca_file" else "STREAMREC_SSL_CERTIFICATE_FILE"
    with pytest.raises(SettingsError, match=rf"{said} is '.*', which cannot be used: expected"):
        connection(load({}, security_protocol="SSL", **files))
    bad.unlink()
    with pytest.raises(SettingsError, match="No such file"):
        connection(load({}, security_protocol="SSL", **files))
