"""Where a command's result goes: asked before minutes are spent on it."""

import tempfile
from pathlib import Path

from ..errors import DataError


def check_writable(out: Path, *, is_folder: bool = False) -> None:
    """DataError unless a file or folder of this name can be made, or, where it is there, its content changed."""
    if is_folder and out.exists() and not out.is_dir():
        raise DataError(f"{out} is a file, expected a folder or a free name; choose another --out")
    if out.is_dir():
        _try(out, out)
    _try(next(parent for parent in out.absolute().parents if parent.exists()), out)


def _try(folder: Path, out: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise DataError(f"{out} cannot be written ({folder}: {error.strerror}); choose another --out") from None
