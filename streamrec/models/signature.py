"""Who made a model: an Ed25519 signature over `manifest.json`, in `signature.json` beside it.

The manifest holds the SHA-256 of every other file, so the signature covers the folder. Who is served by which model is
signed with the same keys (signed_rollout.py). Ed25519 and not an HMAC: workers
hold a public key only, so a worker that is broken into cannot sign. Keys are PEM files, as OpenSSL makes them:

    openssl genpkey -algorithm ed25519 -out private.pem
    openssl pkey -in private.pem -pubout -out public.pem

A public key file may hold several keys: while one replaces another, a signature of any of them is good. Needs the extra
`signing` (the package `cryptography`); everything else about artifacts does not.
"""

import base64
import binascii
import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ..contracts.framing import UNDECODABLE
from ..errors import ArtifactError, SettingsError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SIGNATURE = "signature.json"
CONTEXT = b"streamrec model manifest\n"  # a signature made for something else is none of ours
SIGN = "sign it where it was trained (`streamrec model sign --key FILE`)"
PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----\s*", re.DOTALL)


class Signature(msgspec.Struct, frozen=True):
    """The content of signature.json."""

    algorithm: str
    signature: str  # base64


def sign(folder: Path, private_key: Path) -> None:
    """Write the signature of the folder's manifest."""
    made = signature_over(CONTEXT + (folder / "manifest.json").read_bytes(), private_key)
    (folder / SIGNATURE).write_bytes(msgspec.json.encode(Signature("ed25519", made)) + b"\n")


def check(folder: Path, manifest: bytes, public_keys: Path) -> None:
    """ArtifactError unless one of the keys signed these bytes, as the file in the folder says."""
    path = folder / SIGNATURE
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ArtifactError(f"{path}: missing; STREAMREC_MODEL_PUBLIC_KEY asks for signed models: {SIGN}") from None
    except OSError as error:
        raise ArtifactError(f"{path}: cannot be read ({error.strerror}); {SIGN}") from None
    check_raw(raw, str(path), manifest, public_keys)


def check_raw(raw: bytes, path: str, manifest: bytes, public_keys: Path) -> None:
    """The same for the content of a signature.json that `path` names."""
    try:
        found = msgspec.json.decode(raw, type=Signature)
    except UNDECODABLE as error:
        raise ArtifactError(f"{path}: not a signature ({error}); {SIGN}") from None
    if found.algorithm != "ed25519":
        raise ArtifactError(f"{path}: algorithm is {found.algorithm[:20]!r}, expected 'ed25519'; {SIGN}")
    if not is_signed(CONTEXT + manifest, found.signature, public_keys):
        raise ArtifactError(
            f"{path}: no key in {public_keys} made this signature; the manifest was altered or another key"
            f" signed it: {SIGN}, or correct STREAMREC_MODEL_PUBLIC_KEY"
        )


def signature_over(message: bytes, private_key: Path) -> str:
    """In base64."""
    return base64.b64encode(_private(private_key).sign(message)).decode()


def is_signed(message: bytes, signature: str, public_keys: Path) -> bool:
    """Whether one of the keys made this signature, in base64, over these bytes."""
    keys = _public(public_keys)
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra; `_public` says so where it lacks

    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    for key in keys:
        try:
            key.verify(raw, message)
        except InvalidSignature:
            continue
        return True
    return False


def _private(path: Path) -> "Ed25519PrivateKey":
    _package()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        key = load_pem_private_key(_key_file(path), password=None)
    except (ValueError, TypeError):
        raise SettingsError(f"{path}: not a private key; expected PEM without a password") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(f"{path}: a key of another kind; expected Ed25519")
    return key


def _public(path: Path) -> "list[Ed25519PublicKey]":
    _package()
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

    try:
        keys = [load_pem_public_key(pem) for pem in PEM.findall(_key_file(path))]
    except ValueError:
        keys = []
    ours = [key for key in keys if isinstance(key, Ed25519PublicKey)]
    if not ours or len(ours) < len(keys):
        raise SettingsError(f"STREAMREC_MODEL_PUBLIC_KEY: {path} holds no Ed25519 public key in PEM, expected one")
    return ours


def _key_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path}: the key cannot be read ({error.strerror})") from None


def _package() -> None:
    try:
        import cryptography  # noqa: F401, PLC0415
    except ImportError:
        raise SettingsError("signatures need the package `cryptography`: pip install 'streamrec[signing]'") from None
