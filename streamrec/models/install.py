"""How a version gets into a folder of versions, and is made whole there, beside workers that read it.

    staged(home, failed)  a scratch folder, renamed into place; where something is, what differs is put right, a file
                          at a time
    is_whole(home, v)     whether what is there passes every check and is that version
    brings_signature      whether another copy is signed and this one is not, or otherwise

`home` never disappears: a worker that found no folder in between would take the version for a bad one. A version is the
hash of all that it holds but `created_at`, so files of two copies can stand side by side: a reader in between meets
each file whole, old or new. Only a signature belongs to the bytes of its manifest, and goes in right after it: who asks
for one may refuse the two in between, as it refused what was there before, and looks again since a file has changed.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import ArtifactError
from .artifact import MANIFEST, load
from .manifest import Manifest, decode
from .signature import SIGNATURE
from .signature import check as check_signature


@contextmanager
def staged(home: Path, failed: str) -> Iterator[Path]:
    """A folder to be filled with a whole copy, which then becomes `home`; ArtifactError(`failed`) where it cannot."""
    home.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".coming-", dir=home.parent))
    try:
        yield scratch
        _move_in(scratch, home)
    except OSError as error:
        raise ArtifactError(f"{failed} ({error})") from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _move_in(copy: Path, home: Path) -> None:
    copy.chmod(0o755)  # mkdtemp makes it private, but the worker may run as another user
    try:
        copy.rename(home)
    except OSError:
        if not home.is_dir():
            raise
        _repair(copy, home)


def is_whole(home: Path, version: str) -> bool:
    """Hashes, format, shapes and numbers; not signature, space and features."""
    try:
        return load(home).manifest.version == version
    except ArtifactError:
        return False


def brings_signature(copy: Path, home: Path, public_keys: Path | None = None) -> bool:
    """Whether `copy` has a signature that `home` has not; with `public_keys` it must be good."""
    pairs = [[_bytes(folder / name) for name in (MANIFEST, SIGNATURE)] for folder in (copy, home)]
    if not pairs[0][1] or pairs[0] == pairs[1]:
        return False
    try:
        if public_keys is not None:
            check_signature(copy, pairs[0][0], public_keys)
    except ArtifactError:
        return False
    return True


def _repair(copy: Path, home: Path) -> None:
    ours, theirs = _manifest_in(home), _manifest_in(copy)
    names = sorted(path.name for path in copy.iterdir() if path.name not in {MANIFEST, SIGNATURE})
    is_ours = ours is not None and theirs is not None and ours.version == theirs.version
    if not is_ours or (copy / SIGNATURE).exists():  # else the manifest that is there, for a signature it may have
        names += [name for name in (MANIFEST, SIGNATURE) if (copy / name).exists()]
    for name in names:
        if _bytes(copy / name) != _bytes(home / name):
            (copy / name).replace(home / name)


def _manifest_in(folder: Path) -> Manifest | None:
    try:
        return decode(_bytes(folder / MANIFEST), str(folder))
    except ArtifactError:
        return None


def _bytes(path: Path) -> bytes:
    """Content of a file; b"" for one that cannot be read."""
    try:
        return path.read_bytes()
    except OSError:
        return b""
