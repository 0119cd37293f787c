"""A model store at a URI, kept in a folder: the worker goes on with the folder, whatever becomes of the source.

    the source    rollout.json and versions/<version>/..., as `streamrec model` makes a store; or one artifact
    the folder    the same store, and .mirror: which source, and what of its rollout was taken last

Nothing is believed before it is whole. A version the rollout names is fetched into a scratch folder, held against the
hashes of its manifest, its signature and what this worker can serve, and only then renamed into place; so is one that
is here but no longer passes. The rollout is replaced after all of its versions are there. Until then the folder says
what it said.

A rollout is taken once: what a worker changes in the folder afterwards (a canary rolled back) stands until the source
says something new. Its number never goes back, also after a restart: a lower one is a stale copy, or a replay. Times
decide nothing, since nobody has to write the right one.

With public keys the rollout is signed as the models are, and its number counts from then on: what was taken before was
nobody's word. One artifact in place of a store has its signed `created_at` for a number, and never follows a store. So
the source can hold back, but neither take back nor choose. A folder that is new has nothing to compare with.

Signature and manifest come first, then the two files of a model, each at most as large as the manifest says.
"""

from datetime import datetime
from functools import partial
from hashlib import sha256
from pathlib import Path

import msgspec

from ..contracts.framing import UNDECODABLE
from ..engine.features.fingerprint import fingerprint
from ..errors import ArtifactError
from .artifact import MANIFEST, PROBE, WEIGHTS, load
from .install import staged
from .manifest import decode as decode_manifest
from .remote_files import LIMIT, Remote
from .rollout import Rollout
from .rollout import decode as decode_rollout
from .signature import SIGNATURE
from .signature import check_raw as check_signature
from .signed_rollout import verified
from .store import ROLLOUT, VERSIONS, ModelStore, is_store

STATE = ".mirror"
SMALL = 1 << 20  # bytes of a rollout, manifest or signature; they have a few thousand at most


class Taken(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which source a folder mirrors, and the rollout it was brought from there last."""

    uri: str
    rollout: str = ""  # SHA-256 of its bytes
    serial: int = 0
    signed_serial: int = 0  # the highest whose signature was checked
    of_one: bool = False  # artifact, in place of a store
    is_half: bool = False  # not in the folder yet; its number counts already


class Mirror:
    """Keeps a folder what a model store at a URI is."""

    def __init__(self, uri: str, folder: Path, space_id: str, public_keys: Path | None = None) -> None:
        """ArtifactError for a folder that holds something else: a mirror would overwrite it."""
        self._remote, self._store = Remote(uri), ModelStore(folder)
        self._public_keys = public_keys
        self._check = partial(
            load, expected_space_id=space_id, expected_fingerprint=fingerprint(), public_keys=public_keys
        )
        holds_another = is_store(folder) or (folder / MANIFEST).exists()
        if self._taken().uri not in {"", self._remote.uri} or (holds_another and not (folder / STATE).exists()):
            raise ArtifactError(
                f"{folder}: holds models of another origin, expected an empty folder or a copy of {self._remote.uri};"
                " give STREAMREC_MODEL_DIR a folder of its own"
            )

    def pull(self) -> bool:
        """Take what the source says; False if that is nothing new. ArtifactError leaves the folder as it was."""
        raw, now, of_one = self._said()
        taken, digest = self._taken(), sha256(raw).hexdigest()
        if digest != taken.rollout:
            self._check_is_newer(now, taken, of_one)
        brought = [self._bring(version, of_one) for version in (now.stable, now.canary) if version]
        is_new = digest != taken.rollout or taken.is_half or not (self._store.folder / ROLLOUT).exists()
        signed_serial = now.serial if self._public_keys is not None else 0
        coming = Taken(self._remote.uri, digest, now.serial, max(signed_serial, taken.signed_serial), of_one)
        if is_new:
            if now.previous:
                now = msgspec.structs.replace(now, previous=self._if_it_can_be_had(now.previous))
            self._keep(msgspec.structs.replace(coming, is_half=True))
            self._store.change(lambda _: now)
        if is_new or coming != taken:
            self._keep(coming)
        return is_new or any(brought)

    def _check_is_newer(self, now: Rollout, taken: Taken, of_one: bool) -> None:
        asks = self._public_keys is not None
        last = taken.signed_serial if asks else taken.serial
        anew = f"delete {self._store.folder} to begin anew"
        if asks and of_one and last and not taken.of_one:
            raise ArtifactError(f"{self._remote.uri}: holds one artifact, expected the store that was here; {anew}")
        if now.serial < last or (now.serial == last and (last or asks)):
            raise ArtifactError(
                f"{self._remote.uri}: the number of its rollout is {now.serial}, expected more than {last}, which was"
                f" taken before: a stale copy, or a replay? promote a version again, or {anew}"
            )

    def _said(self) -> tuple[bytes, Rollout, bool]:
        """The source's rollout, its bytes, and whether it is that of one artifact: its own stable version."""
        at = f"{self._remote.uri}/{ROLLOUT}"
        try:
            raw = self._remote.read(ROLLOUT, SMALL)
        except FileNotFoundError:
            return *self._of_one(), True
        now = decode_rollout(raw, at) if self._public_keys is None else verified(raw, at, self._public_keys)
        if not now.stable:
            raise ArtifactError(f"{at}: no version is stable yet; `streamrec model promote`")
        return raw, now, False

    def _of_one(self) -> tuple[bytes, Rollout]:
        try:
            raw = self._remote.read(MANIFEST, SMALL)
        except FileNotFoundError:
            raise ArtifactError(
                f"{self._remote.uri}: holds neither {ROLLOUT} nor {MANIFEST}, expected a store of `streamrec model`, or"
                " an artifact: check STREAMREC_MODEL_URI"
            ) from None
        if self._public_keys is not None:
            self._signature_of(raw, "")
        manifest = decode_manifest(raw, f"{self._remote.uri}/{MANIFEST}")
        at, serial = manifest.created_at, _ms(manifest.created_at) if self._public_keys is not None else 0
        return raw, Rollout(manifest.version, changed_at=at, reason="the artifact at the URI", serial=serial)

    def _bring(self, version: str, of_one: bool = False) -> bool:
        """Fetch a version into the folder, whole or not at all; False if it is there already."""
        home = self._store.folder / VERSIONS / version
        if self._can_serve(home, version):
            return False
        with staged(home, f"{self._remote.uri}: version {version} cannot be kept here") as scratch:
            self._fetch(version, "" if of_one else f"{VERSIONS}/{version}/", scratch)
        return True

    def _fetch(self, version: str, below: str, scratch: Path) -> None:
        raw, at = self._get(f"{below}{MANIFEST}", SMALL), f"{self._remote.uri}/{below}{MANIFEST}"
        (scratch / MANIFEST).write_bytes(raw)
        if self._public_keys is not None:
            (scratch / SIGNATURE).write_bytes(self._signature_of(raw, below))
        manifest = decode_manifest(raw, at)
        if manifest.version != version:
            raise ArtifactError(f"{self._remote.uri}/{below}: is version {manifest.version}, expected {version}")
        if manifest.files.keys() != {WEIGHTS, PROBE}:
            names = ", ".join(sorted(manifest.files))[:200]
            raise ArtifactError(f"{at}: names the files {names!r}, expected {WEIGHTS} and {PROBE}; is it a model?")
        for name, expected in manifest.files.items():
            limit = min(manifest.file_bytes.get(name, LIMIT), LIMIT)
            (scratch / name).write_bytes(self._get(f"{below}{name}", limit, expected))
        self._check(scratch)

    def _signature_of(self, manifest: bytes, below: str) -> bytes:
        """The content of the signature beside a manifest; ArtifactError unless it is a good one."""
        assert self._public_keys is not None
        raw = self._get(f"{below}{SIGNATURE}", SMALL)
        check_signature(raw, f"{self._remote.uri}/{below}{SIGNATURE}", manifest, self._public_keys)
        return raw

    def _can_serve(self, home: Path, version: str) -> bool:
        """Looked at anew each time: what was damaged here, or signed there since, is fetched again."""
        try:
            return self._check(home).manifest.version == version
        except ArtifactError:
            return False

    def _get(self, name: str, limit: int, expected: str = "") -> bytes:
        """A file of a version, with this SHA-256 if one is given."""
        at = f"{self._remote.uri}/{name}"
        try:
            content = self._remote.read(name, limit)
        except FileNotFoundError:
            raise ArtifactError(f"{at}: is not there, expected a whole version; is it still being copied?") from None
        got = sha256(content).hexdigest()
        if expected not in {"", got}:
            raise ArtifactError(f"{at}: sha256 is {got[:12]}, expected {expected[:12]}; still being copied, or altered")
        return content

    def _if_it_can_be_had(self, version: str) -> str:
        """Fetch the version to which a rollback would go back, if it can be had; it is welcome, not needed."""
        try:
            self._bring(version)
        except ArtifactError:
            return ""
        return version

    def _keep(self, taken: Taken) -> None:
        try:
            self._store.replace(STATE, msgspec.json.encode(taken))
        except OSError as error:
            raise ArtifactError(f"{self._store.folder}: cannot be changed ({error}); check its permissions") from None

    def _taken(self) -> Taken:
        path = self._store.folder / STATE
        try:
            return msgspec.json.decode(path.read_bytes(), type=Taken)
        except FileNotFoundError:
            return Taken("")
        except (OSError, *UNDECODABLE) as error:
            raise ArtifactError(f"{path}: cannot be read ({error}); delete {path.parent} to begin anew") from None


def _ms(time: str) -> int:
    """Of an ISO 8601 time; 0 for what is none."""
    try:
        return int(datetime.fromisoformat(time).timestamp() * 1000)
    except (ValueError, OverflowError):
        return 0
