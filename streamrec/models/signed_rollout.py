"""Who says which version serves: an Ed25519 signature in rollout.json itself, over everything else in it.

A model that is old is validly signed for ever. So what is signed here is which of them serves, with a number that
rises: a copy of the store that has seen a number takes nothing up to it any more (mirror.py).

The bytes signed are the file's members but `signature`, as JSON without blanks and with sorted names. They are taken
from the file and not from what this release knows of it, so a member that a later release adds is covered, too; and
what is read is read from these bytes, so nothing is believed that was not signed.
"""

from pathlib import Path
from typing import Any

import msgspec

from ..contracts.framing import UNDECODABLE
from ..errors import ArtifactError
from .rollout import ANEW, Rollout, decode
from .signature import is_signed, signature_over

CONTEXT = b"streamrec rollout\n"  # a signature made for something else is none of ours


def signed(rollout: Rollout, private_key: Path) -> Rollout:
    """With the signature of this key."""
    content, _ = _parts(msgspec.json.encode(rollout))
    return msgspec.structs.replace(rollout, signature=signature_over(CONTEXT + content, private_key))


def verified(raw: bytes, path: str, public_keys: Path) -> Rollout:
    """The rollout in `raw`; ArtifactError naming `path` unless one of the keys signed it, and it has a number."""
    try:
        content, signature = _parts(raw)
    except UNDECODABLE as error:
        raise ArtifactError(f"{path}: not a rollout ({error}); {ANEW}") from None
    cure = "run `streamrec model sign --key FILE STORE` where the store is kept, and copy rollout.json again"
    if not signature:
        raise ArtifactError(f"{path}: is not signed, and STREAMREC_MODEL_PUBLIC_KEY asks for that; {cure}")
    if not is_signed(CONTEXT + content, signature, public_keys):
        raise ArtifactError(
            f"{path}: no key in {public_keys} made its signature; it was altered or another key signed it: {cure}, or"
            " correct STREAMREC_MODEL_PUBLIC_KEY"
        )
    return msgspec.structs.replace(decode(content, path), signature=signature)


def _parts(raw: bytes) -> tuple[bytes, str]:
    members = msgspec.json.decode(raw, type=dict[str, Any])
    signature = members.pop("signature", "")
    return msgspec.json.encode(members, order="sorted"), signature if isinstance(signature, str) else ""
