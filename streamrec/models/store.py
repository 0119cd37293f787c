"""A model store: a folder of artifacts by version, and which of them serves.

    versions/<version>/   one artifact each (artifact.py); added again, only what is wrong with it changes (install.py)
    rollout.json          rollout.py; replaced by rename, so a reader never sees half of one
    .lock                 held while rollout.json is changed: commands and workers do not overwrite one another

STREAMREC_MODEL_DIR is a store or, as ever, one artifact folder. `wanted` answers for both: what should serve now.
Signatures and admission are asked for where a model is loaded (ranker.py), whatever the store says.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

import msgspec

from ..engine.features.fingerprint import fingerprint
from ..errors import ArtifactError, SettingsError
from . import rollout as moves
from .artifact import MANIFEST, load, manifest_of
from .install import brings_signature, is_whole, staged
from .manifest import Manifest, check_half_life
from .rollout import Rollout
from .signature import SIGNATURE
from .signed_rollout import signed

ROLLOUT, VERSIONS, LOCK = "rollout.json", "versions", ".lock"


class Attempt(NamedTuple):
    """A version as it stood in the store when its load was tried: refused once, it is tried again if this changes."""

    version: str
    changed_at: str
    touched: str


class Wanted(NamedTuple):
    """Which versions should serve now; a plain artifact folder is its own stable version."""

    folder: Path
    stable: str
    canary: str = ""
    percent: int = 0
    previous: str = ""
    changed_at: str = ""
    canary_since: str = ""
    is_store: bool = True

    def path(self, version: str) -> Path:
        """The artifact folder of a version; where the folder is no store, the folder itself."""
        return self.folder / VERSIONS / version if self.is_store else self.folder

    def attempt(self, version: str) -> Attempt:
        """What a load that fails belongs to: another rollout is worth another one, and so are files put right."""
        return Attempt(version, self.changed_at, _touched(self.path(version)))


def wanted(folder: Path) -> Wanted:
    """As store or folder say now; ArtifactError if neither can be read, or nothing is promoted yet."""
    try:
        if not is_store(folder):
            return Wanted(folder, manifest_of(folder).version, changed_at=_touched(folder), is_store=False)
        now = ModelStore(folder).rollout()
    except OSError as error:  # a volume that is away for a moment
        raise ArtifactError(f"{folder}: cannot be looked into ({error.strerror}); check STREAMREC_MODEL_DIR") from None
    if not now.stable:
        raise ArtifactError(f"{folder / ROLLOUT}: no version is stable yet; run `streamrec model promote VERSION`")
    return Wanted(folder, now.stable, now.canary, now.canary_percent, now.previous, now.changed_at, now.canary_since)


def is_store(folder: Path) -> bool:
    """Whether a folder is a model store: no artifact folder, and nothing else. OSError where nobody can tell."""
    with suppress(FileNotFoundError):
        folder.stat()  # from Python 3.14 on, what follows says no where a volume is away
    return (folder / VERSIONS).is_dir() or (folder / ROLLOUT).exists()


def _touched(folder: Path) -> str:
    """When a file of the folder last changed: a copy that is under way, or was mended, is worth another look.

    Empty where that cannot be asked: what is read then, or cannot be, is worth one, too.
    """
    try:
        return str(max((path.stat().st_mtime_ns for path in folder.glob("*.*")), default=0))
    except OSError:
        return ""


class ModelStore:
    """Reads a folder of model versions and its rollout, and changes both so that workers see a whole store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def rollout(self) -> Rollout:
        """Which versions serve; a rollout of nobody where nothing was promoted yet."""
        path = self.folder / ROLLOUT
        try:
            return moves.decode(path.read_bytes(), str(path))
        except FileNotFoundError:
            return Rollout()
        except OSError as error:
            raise ArtifactError(f"{path}: cannot be read ({error.strerror}); check the store's permissions") from None

    def path(self, version: str) -> Path:
        """The artifact folder of a version that is here; ArtifactError if it is not."""
        if not moves.VERSION.fullmatch(version) or not (folder := self.folder / VERSIONS / version).is_dir():
            raise ArtifactError(f"{self.folder}: no version {version[:40]!r}; `streamrec model list` shows those there")
        return folder

    def versions(self) -> dict[str, Manifest | ArtifactError]:
        """What is there, the oldest first; of a version that cannot be read, why, at the end."""
        found: dict[str, Manifest | ArtifactError] = {}
        for folder in sorted((self.folder / VERSIONS).glob("[0-9a-f]*")):
            try:
                found[folder.name] = manifest_of(folder)
            except ArtifactError as error:
                found[folder.name] = error
        order = {name: at.created_at if isinstance(at, Manifest) else "~" for name, at in found.items()}
        return {name: found[name] for name in sorted(found, key=order.__getitem__)}

    def add(self, source: Path, public_keys: Path | None = None) -> Manifest:
        """Copy an artifact folder in, checked as copied; of a version that is there, what was damaged or not signed."""
        manifest = manifest_of(source)
        home = self.folder / VERSIONS / manifest.version
        if is_whole(home, manifest.version) and not brings_signature(source, home, public_keys):
            return manifest
        with staged(home, f"{source}: cannot be added to {self.folder}") as scratch:
            for name in (MANIFEST, *manifest.files, *([SIGNATURE] if (source / SIGNATURE).exists() else [])):
                if Path(name).name != name:
                    raise ArtifactError(f"{source / MANIFEST}: file {name[:80]!r} lies outside the folder")
                shutil.copyfile(source / name, scratch / name)
            load(scratch)
        return manifest

    def check_fit(self, version: str, public_keys: Path | None = None, half_life_h: float | None = None) -> None:
        """ArtifactError unless this version is whole and can follow the stable one in a worker of this half-life."""
        folder, stable = self.path(version), self.rollout().stable
        manifest = manifest_of(folder)
        space_id = manifest.space_id
        with suppress(ArtifactError):  # a stable version that is gone is what this one shall replace
            space_id = manifest_of(self.path(stable)).space_id
        load(folder, expected_space_id=space_id, expected_fingerprint=fingerprint(), public_keys=public_keys)
        if half_life_h is not None:
            check_half_life(manifest.half_life_h, str(folder / MANIFEST), half_life_h)

    def roll_back(
        self,
        at: str,
        reason: str,
        public_keys: Path | None = None,
        half_life_h: float | None = None,
        *,
        at_ms: int = 0,
        key: Path | None = None,
    ) -> Rollout:
        """Take the canary back, or go back to the version before; ArtifactError if `check_fit` refuses that one."""

        def checked(before: Rollout) -> Rollout:
            after = moves.roll_back(before, at, reason)
            if after.stable != before.stable:
                try:
                    self.check_fit(after.stable, public_keys, half_life_h)
                except ArtifactError as error:
                    raise ArtifactError(
                        f"the version before, {after.stable}, cannot serve, and nothing was rolled back: {error}; add"
                        " it again (`streamrec model add`), or promote another one"
                    ) from None
            return after

        return self.publish(checked, at_ms, key)

    def publish(self, move: Callable[[Rollout], Rollout], at_ms: int, key: Path | None = None) -> Rollout:
        """Apply a move for all who copy this store: with a number that is the time, or rises, and signed by a key.

        The time, so that a store which is made anew goes on where the one before it was. SettingsError where a key is
        missing that signed what was there before: who checks would refuse the next.
        """

        def published(before: Rollout) -> Rollout:
            if before.signature and key is None:
                raise SettingsError(
                    f"{self.folder / ROLLOUT}: is signed, and workers that check it would refuse a change that is not;"
                    " give --key FILE"
                )
            after = move(before)
            after = msgspec.structs.replace(after, serial=max(after.serial, at_ms))
            return after if key is None else signed(after, key)

        return self.change(published)

    def change(self, move: Callable[[Rollout], Rollout]) -> Rollout:
        """Apply a move to what the file says at this moment; ArtifactError of the move leaves it as it is."""
        with self._locked():
            before = self.rollout()
            after = move(before)
            if after != before:
                self.replace(ROLLOUT, msgspec.json.format(msgspec.json.encode(after), indent=2) + b"\n")
        return after

    def replace(self, name: str, content: bytes) -> None:
        """A file of the store itself, whole or as it was; safe on disk."""
        scratch = self.folder / f".{name}-{os.getpid()}"
        with scratch.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        scratch.replace(self.folder / name)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / LOCK).open("wb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise ArtifactError(f"{self.folder}: cannot be changed ({error}); check the store's permissions") from None
