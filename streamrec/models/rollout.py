"""Which version of a model store serves whom: `rollout.json`, and the moves that change it. Pure; store.py writes it.

    promote(v)       stable = v, previous = what was stable, no canary
    try_out(v, n)    canary = v for n % of the users, all else as it was; a canary whose share changes is still the same
    roll_back()      a canary leaves; without one, stable and previous change places
    restated()       all as it was: for a signature

Each raises the number, by which a copy knows what came later, and drops the signature, which is of what was before.
A move that makes no sense is an ArtifactError that says what would.
"""

import re

import msgspec

from ..contracts.framing import UNDECODABLE
from ..errors import ArtifactError

VERSION = re.compile(r"[0-9a-f]{12}")
ANEW = "delete it where the store is kept, and promote a version again"  # nothing can be changed that cannot be read
LARGEST = (1 << 53) - 1  # number; what every reader of JSON can hold


class Rollout(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The state of a store; versions are 12 hex digits, "" where there is none."""

    stable: str = ""
    canary: str = ""
    canary_percent: int = 0  # of the users, by hash
    previous: str = ""  # what `rollback` goes back to
    changed_at: str = ""  # ISO 8601
    reason: str = ""  # of the last change, for people
    canary_since: str = ""  # ISO 8601; what was seen of a canary before is no evidence
    serial: int = 0  # rises with every change; 0: written before there were numbers
    signature: str = ""  # signed_rollout.py


def decode(raw: bytes, path: str) -> Rollout:
    """The rollout in `raw`; ArtifactError naming `path` if it is none."""
    try:
        rollout = msgspec.json.decode(raw, type=Rollout)
    except UNDECODABLE as error:
        raise ArtifactError(f"{path}: not a rollout ({error}); {ANEW}") from None
    for role in ("stable", "canary", "previous"):
        version = getattr(rollout, role)
        if version and not VERSION.fullmatch(version):  # it becomes a part of a path
            raise ArtifactError(f"{path}: {role} is {version[:40]!r}, expected 12 hex digits; {ANEW}")
    if bool(rollout.canary) != (0 < rollout.canary_percent < 100):
        raise ArtifactError(
            f"{path}: canary is {rollout.canary!r} at {rollout.canary_percent} %, expected a version at 1 to 99 % or"
            f" none at 0; {ANEW}"
        )
    if not 0 <= rollout.serial <= LARGEST:
        raise ArtifactError(f"{path}: serial is {rollout.serial}, expected 0 to {LARGEST}; {ANEW}")
    return rollout


def promote(rollout: Rollout, version: str, changed_at: str, reason: str) -> Rollout:
    """The rollout in which `version` serves everybody; a canary ends. ArtifactError if it does already."""
    if version == rollout.stable and not rollout.canary:
        raise ArtifactError(f"version {version} is stable already; name another one (`streamrec model list`)")
    previous = rollout.previous if version == rollout.stable else rollout.stable
    return Rollout(version, "", 0, previous, changed_at, reason, serial=rollout.serial + 1)


def try_out(rollout: Rollout, version: str, percent: int, changed_at: str, reason: str) -> Rollout:
    """The rollout in which `percent` of the users are served by `version`, as a canary."""
    if not 0 < percent < 100:
        raise ArtifactError(f"--canary is {percent}, expected 1 to 99; without --canary everybody gets the version")
    if not rollout.stable:
        raise ArtifactError("there is no stable version to compare a canary with; promote one without --canary first")
    if version == rollout.stable:
        raise ArtifactError(f"version {version} is stable; a canary is another version (`streamrec model list`)")
    since = rollout.canary_since if version == rollout.canary else changed_at
    serial = rollout.serial + 1
    return Rollout(rollout.stable, version, percent, rollout.previous, changed_at, reason, since, serial)


def roll_back(rollout: Rollout, changed_at: str, reason: str) -> Rollout:
    """Without the canary; where there is none, back to the version before."""
    serial = rollout.serial + 1
    if rollout.canary:
        return Rollout(rollout.stable, "", 0, rollout.previous, changed_at, reason, serial=serial)
    if not rollout.previous:
        raise ArtifactError("there is no canary and no earlier version to go back to; promote a version instead")
    return Rollout(rollout.previous, "", 0, rollout.stable, changed_at, reason, serial=serial)


def restated(rollout: Rollout) -> Rollout:
    """The same once more; ArtifactError where nothing is promoted."""
    if not rollout.stable:
        raise ArtifactError("no version is stable yet, so there is nothing to sign; `streamrec model promote` one")
    return msgspec.structs.replace(rollout, serial=rollout.serial + 1, signature="")
