"""Where a command's result goes: asked before minutes are spent on it."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import DataError


def check_writable(out: Path, *, is_folder: bool = False) -> None:
    """DataError unless a file or folder of this name can be made, or, where it is there, its content changed."""
    if is_folder and out.exists() and not out.is_dir():
        raise DataError(f"{out} is a file, expected a folder or a free name; choose another --out")
    if out.is_dir():
        _try(out, out)
    _try(next(parent for parent in out.absolute().parents if parent.exists()), out)


@contextmanager
def folder_if_needed(folder: Path, option: str) -> Iterator[None]:
    """Make this folder now, and take it away at the end if nothing came into it. DataError if it cannot be written."""
    made: list[Path] = []
    try:
        made = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        _take_away(made)
        raise DataError(f"{folder} cannot be written ({error.strerror}); choose another {option}") from None
    try:
        yield
    finally:
        _take_away(made)


def _take_away(made: list[Path]) -> None:
    for path in made:
        with suppress(OSError):  # not made after all, or no longer empty
            path.rmdir()


def _try(folder: Path, out: Path) -> None:
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise DataError(f"{out} cannot be written ({folder}: {error.strerror}); choose another --out") from None
