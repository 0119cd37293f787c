"""Signed models: what is refused."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as other_kind
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from signing_keys import keys

from streamrec.errors import ArtifactError, SettingsError
from streamrec.models.artifact import MANIFEST, WEIGHTS, load
from streamrec.models.signature import SIGNATURE, sign

SPACE, FEATURES_HASH = "hashed64-test", "feedc0ffee00"


def load_signed(folder: Path, public: Path) -> None:
    """As a worker that asks for signatures."""
    load(folder, expected_space_id=SPACE, expected_fingerprint=FEATURES_HASH, public_keys=public)


def test_a_signed_folder_loads_and_an_unsigned_one_does_not(folder: Path, tmp_path: Path) -> None:
    """The refusal says how to sign."""
    private, public = keys(tmp_path, "ours")
    with pytest.raises(ArtifactError, match=r"missing.*streamrec model sign"):
        load_signed(folder, public)
    sign(folder, private)
    load_signed(folder, public)


def test_another_key_is_refused(folder: Path, tmp_path: Path) -> None:
    """A signature alone is not enough: it has to be ours."""
    private, _ = keys(tmp_path, "theirs")
    _, public = keys(tmp_path, "ours")
    sign(folder, private)
    with pytest.raises(ArtifactError, match="another key"):
        load_signed(folder, public)


def test_during_a_change_of_keys_both_are_good(folder: Path, tmp_path: Path) -> None:
    """Several keys may stand in the public key file."""
    (old, old_public), (new, new_public) = keys(tmp_path, "old"), keys(tmp_path, "new")
    both = tmp_path / "both.pub"
    both.write_bytes(old_public.read_bytes() + b"\n" + new_public.read_bytes())
    for private in (old, new):
        sign(folder, private)
        load_signed(folder, both)


@pytest.mark.parametrize("name", [MANIFEST, WEIGHTS])
def test_a_file_altered_after_signing_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    """The manifest by its signature, every other file by its hash in the manifest."""
    private, public = keys(tmp_path, "ours")
    sign(folder, private)
    raw = bytearray((folder / name).read_bytes())
    raw[-10] ^= 1
    (folder / name).write_bytes(raw)
    with pytest.raises(ArtifactError, match="altered"):
        load_signed(folder, public)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b'{"algorithm":"none","signature":""}',
        b'{"algorithm":"ed25519","signature":"!"}',
        b"\xff",
        b'{"x":' + b"[" * 5000,
    ],
)
def test_a_broken_signature_is_refused(folder: Path, tmp_path: Path, content: bytes) -> None:
    """And an algorithm is not the attacker's to choose."""
    private, public = keys(tmp_path, "ours")
    sign(folder, private)
    (folder / SIGNATURE).write_bytes(content)
    with pytest.raises(ArtifactError, match=SIGNATURE):
        load_signed(folder, public)


def test_a_key_file_that_is_none_is_the_operators_matter(folder: Path, tmp_path: Path) -> None:
    """A wrong setting is a SettingsError and never the same as no setting."""
    private, public = keys(tmp_path, "ours")
    sign(folder, private)
    curve = other_kind(SECP256R1())
    wrong = tmp_path / "wrong.pem"
    wrong.write_bytes(curve.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    for path in (private, wrong, tmp_path / "not-there", folder / WEIGHTS):
        with pytest.raises(SettingsError):
            load_signed(folder, path)
    for path in (public, wrong, folder / WEIGHTS):
        with pytest.raises(SettingsError):
            sign(folder, path)
