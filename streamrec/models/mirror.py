"""A model store at a URI, kept in a folder: the worker goes on with the folder, whatever becomes of the source.

    the source    rollout.json and versions/<version>/..., as `streamrec model` makes a store; or one artifact
    the folder    the same store, and .mirror: which source, and what of its rollout was taken last

Nothing is believed before it is whole. A version the rollout names is fetched into a scratch folder, held against the
hashes of its manifest, its signature and what this worker can serve, and only then renamed into place; so is one that
is here but no longer passes. The rollout is replaced after all of its versions are there. Until then the folder says
what it said.

A rollout is taken once: what a worker changes in the folder afterwards (a canary rolled back) stands until the source
says something new. One that was changed earlier than the last one taken is refused: a stale copy, or a replay of it.
"""

from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path

import msgspec

from ..contracts.framing import UNDECODABLE
from ..engine.features.fingerprint import fingerprint
from ..errors import ArtifactError
from .artifact import MANIFEST, load
from .install import staged
from .manifest import decode as decode_manifest
from .remote_files import Remote
from .rollout import Rollout
from .rollout import decode as decode_rollout
from .signature import SIGNATURE
from .store import ROLLOUT, VERSIONS, ModelStore, is_store

STATE = ".mirror"


class Taken(msgspec.Struct, frozen=True):
    """Which source a folder mirrors, and the rollout it was brought from there last."""

    uri: str
    rollout: str = ""  # SHA-256 of its bytes
    changed_at: str = ""


class Mirror:
    """Keeps a folder what a model store at a URI is."""

    def __init__(self, uri: str, folder: Path, space_id: str, public_keys: Path | None = None) -> None:
        """ArtifactError for a folder that holds something else: a mirror would overwrite it."""
        self._remote, self._store = Remote(uri), ModelStore(folder)
        self._public_keys = public_keys
        self._check = partial(
            load, expected_space_id=space_id, expected_fingerprint=fingerprint(), public_keys=public_keys
        )
        self._is_one = False  # artifact, in place of a store
        holds_another = is_store(folder) or (folder / MANIFEST).exists()
        if self._taken().uri not in {"", self._remote.uri} or (holds_another and not (folder / STATE).exists()):
            raise ArtifactError(
                f"{folder}: holds models of another origin, expected an empty folder or a copy of {self._remote.uri};"
                " give STREAMREC_MODEL_DIR a folder of its own"
            )

    def pull(self) -> bool:
        """Take what the source says; False if that is nothing new. ArtifactError leaves the folder as it was."""
        raw, now = self._said()
        taken, digest = self._taken(), sha256(raw).hexdigest()
        if _is_earlier(now.changed_at, taken.changed_at):
            raise ArtifactError(
                f"{self._remote.uri}: was changed {now.changed_at}, and what is here {taken.changed_at}: a stale copy?"
                f" promote a version again, or delete {self._store.folder} to begin anew"
            )
        brought = [self._bring(version) for version in (now.stable, now.canary) if version]
        if digest == taken.rollout:
            return any(brought)
        if now.previous:
            now = msgspec.structs.replace(now, previous=self._if_it_can_be_had(now.previous))
        self._store.change(lambda _: now)
        written = msgspec.json.encode(Taken(self._remote.uri, digest, now.changed_at))
        self._store.replace(STATE, written)
        return True

    def _said(self) -> tuple[bytes, Rollout]:
        """The source's rollout and its bytes; one artifact is its own stable version."""
        try:
            raw = self._remote.read(ROLLOUT)
        except FileNotFoundError:
            return self._of_one()
        self._is_one = False
        now = decode_rollout(raw, f"{self._remote.uri}/{ROLLOUT}")
        if not now.stable:
            raise ArtifactError(f"{self._remote.uri}/{ROLLOUT}: no version is stable yet; `streamrec model promote`")
        return raw, now

    def _of_one(self) -> tuple[bytes, Rollout]:
        try:
            raw = self._remote.read(MANIFEST)
        except FileNotFoundError:
            raise ArtifactError(
                f"{self._remote.uri}: holds neither {ROLLOUT} nor {MANIFEST}, expected a store of `streamrec model`, or"
                " an artifact: check STREAMREC_MODEL_URI"
            ) from None
        self._is_one = True
        manifest = decode_manifest(raw, f"{self._remote.uri}/{MANIFEST}")
        return raw, Rollout(stable=manifest.version, changed_at=manifest.created_at, reason="the artifact at the URI")

    def _bring(self, version: str) -> bool:
        """Fetch a version into the folder, whole or not at all; False if it is there already."""
        home = self._store.folder / VERSIONS / version
        if self._can_serve(home, version):
            return False
        with staged(home, f"{self._remote.uri}: version {version} cannot be kept here") as scratch:
            self._fetch(version, scratch)
        return True

    def _fetch(self, version: str, scratch: Path) -> None:
        below = "" if self._is_one else f"{VERSIONS}/{version}/"
        manifest = decode_manifest(self._get(f"{below}{MANIFEST}", scratch), f"{self._remote.uri}/{below}{MANIFEST}")
        if manifest.version != version:
            raise ArtifactError(f"{self._remote.uri}/{below}: is version {manifest.version}, expected {version}")
        for name, expected in manifest.files.items():
            if Path(name).name != name:
                raise ArtifactError(f"{self._remote.uri}/{below}{MANIFEST}: file {name[:80]!r} lies outside the folder")
            self._get(f"{below}{name}", scratch, expected)
        if self._public_keys is not None:
            self._get(f"{below}{SIGNATURE}", scratch)
        self._check(scratch)

    def _can_serve(self, home: Path, version: str) -> bool:
        """Looked at anew each time: what was damaged here, or signed there since, is fetched again."""
        try:
            return self._check(home).manifest.version == version
        except ArtifactError:
            return False

    def _get(self, name: str, scratch: Path, expected: str = "") -> bytes:
        """A file of a version, with this SHA-256 if one is given."""
        at = f"{self._remote.uri}/{name}"
        try:
            content = self._remote.read(name)
        except FileNotFoundError:
            raise ArtifactError(f"{at}: is not there, expected a whole version; is it still being copied?") from None
        got = sha256(content).hexdigest()
        if expected not in {"", got}:
            raise ArtifactError(f"{at}: sha256 is {got[:12]}, expected {expected[:12]}; still being copied, or altered")
        (scratch / Path(name).name).write_bytes(content)
        return content

    def _if_it_can_be_had(self, version: str) -> str:
        """Fetch the version to which a rollback would go back, if it can be had; it is welcome, not needed."""
        try:
            self._bring(version)
        except ArtifactError:
            return ""
        return version

    def _taken(self) -> Taken:
        path = self._store.folder / STATE
        try:
            return msgspec.json.decode(path.read_bytes(), type=Taken)
        except FileNotFoundError:
            return Taken("")
        except (OSError, *UNDECODABLE) as error:
            raise ArtifactError(f"{path}: cannot be read ({error}); delete {path.parent} to begin anew") from None


def _is_earlier(left: str, right: str) -> bool:
    """Of two ISO 8601 times; what is none cannot be compared."""
    try:
        return datetime.fromisoformat(left) < datetime.fromisoformat(right)
    except (ValueError, TypeError):
        return False
