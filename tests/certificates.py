"""Certificates as an authority of one's own would issue them, for tests of TLS."""

import datetime as dt
import ipaddress
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

DAY = dt.timedelta(days=1)
MAY_SIGN = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


class Authority(NamedTuple):
    """An authority: its key and its certificate, and the folder its files go to."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    folder: Path

    @classmethod
    def made(cls, folder: Path, name: str) -> "Authority":
        """A new one, with its certificate in `file`."""
        folder.mkdir(exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = (
            _builder(name, name, key.public_key(), DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(MAY_SIGN, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, SHA256())
        )
        made = cls(key, certificate, folder / name)
        made.folder.mkdir()
        made.file.write_bytes(certificate.public_bytes(Encoding.PEM))
        return made

    @property
    def file(self) -> Path:
        """Its certificate, for those who trust it."""
        return self.folder / "ca.pem"

    def issue(self, name: str, host: str = "127.0.0.1", ends: dt.timedelta = DAY, password: str = "") -> Path:
        """A PEM file with a new private key in PKCS 8 and its certificate, which names `name` and `host`."""
        key = ec.generate_private_key(ec.SECP256R1())
        by = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        certificate = (
            _builder(name, self.certificate.subject.rfc4514_string().removeprefix("CN="), key.public_key(), ends)
            .add_extension(x509.SubjectAlternativeName([_named(host)]), critical=False)
            .add_extension(by, critical=False)  # Python 3.13 refuses a certificate that does not say it
            .sign(self.key, SHA256())
        )
        kept: KeySerializationEncryption = BestAvailableEncryption(password.encode()) if password else NoEncryption()
        path = self.folder / f"{name}.pem"
        path.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, kept) + certificate.public_bytes(Encoding.PEM)
        )
        return path


def _builder(name: str, issuer: str, key: ec.EllipticCurvePublicKey, ends: dt.timedelta) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 3 * DAY)
        .not_valid_after(now + ends)
    )


def _named(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
