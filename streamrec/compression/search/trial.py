"""What one trial of a recipe is, and where it is kept: a search that was interrupted finds all it has done.

A trial is named by the hash of everything that decides its result: recipe, fidelity, seed, data and the code that
trains. A folder belongs to one request (data, seed, budget); another one is refused.
"""

import hashlib
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from ...errors import DataError
from ...training.code import code_hash

Struct = TypeVar("Struct")

REQUEST = "request.json"
DECIDING = (  # what a model that comes out of a trial depends on, besides its data
    "compression/*.py",
    "compression/methods/*.py",
    "compression/search/recipe_evaluator.py",
    "compression/search/splits.py",
    "training/*.py",
    "models/network.py",
)


class Fidelity(msgspec.Struct, frozen=True):
    """How much a trial may cost: epochs of each training step, and the share of the training rows, the latest."""

    epochs: int
    share: float


class Trial(msgspec.Struct, frozen=True):
    """A recipe tried at one fidelity, as the validation window saw it."""

    recipe: str
    fidelity: Fidelity
    seed: int
    stored_bytes: int  # of the model's file, see compression/size.py
    auc: float  # of the validation window
    loss: float  # relative to the teacher's there
    lower_95: float
    upper_95: float
    seconds: float
    refused: str = ""  # why the methods would not take it; numbers are then 0
    shared_s: float = 0.0  # what its beginning took when another recipe's trial made it


class Request(msgspec.Struct, frozen=True):
    """What a folder's search is about; it may only go on with the same."""

    log: str
    data: str  # hash of the rows
    seed: int
    max_loss: float
    test_from_ms: int | None


class Key(NamedTuple):
    """What decides a trial's result: recipe, fidelity, seed and the hash of its data."""

    recipe: str
    fidelity: Fidelity
    seed: int
    data: str

    def hash(self) -> str:
        """16 hex digits, the trial's name in the folder."""
        fidelity = f"{self.fidelity.epochs} {self.fidelity.share}"
        text = "\n".join((self.recipe, fidelity, str(self.seed), self.data, code_hash(DECIDING)))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class Folder:
    """Where a search keeps its request and its trials, so that it can be resumed."""

    def __init__(self, path: Path, request: Request, *, resume: bool) -> None:
        """DataError for a folder that holds another search, or this one without `resume`."""
        self.path = path
        check_folder(path, resume=resume)
        if resume:
            _check_same(_read(path / REQUEST, Request), request, path)
        self.write(REQUEST, msgspec.json.encode(request))

    @classmethod
    def held(cls, path: Path) -> "Folder":
        """The folder of an earlier search; DataError if there is none."""
        if not (path / REQUEST).exists():
            raise DataError(f"{path} holds no search; expected the --out of `streamrec compress search`")
        return cls(path, _read(path / REQUEST, Request), resume=True)

    def trial(self, key: Key) -> Trial | None:
        """The trial of this key, as it was written down; None if it was not made, or not to the end."""
        return self.read(f"trials/{key.hash()}.json", Trial)

    def keep(self, key: Key, trial: Trial) -> Trial:
        """Write down a trial, and answer it."""
        self.write(f"trials/{key.hash()}.json", msgspec.json.encode(trial))
        return trial

    def read(self, name: str, kind: type[Struct]) -> Struct | None:
        """The JSON in a file of the folder; None if there is no such file."""
        path = self.path / name
        return _read(path, kind) if path.exists() else None

    def write(self, name: str, content: bytes) -> Path:
        """Write a file of the folder, whole or not at all; answers its path."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(path.suffix + ".part")
        fresh.write_bytes(content)
        return fresh.replace(path)


def check_folder(path: Path, *, resume: bool) -> None:
    """DataError if a folder holds a search and `resume` is not said, or the reverse: before any work is done."""
    if (path / REQUEST).exists() and not resume:
        raise DataError(f"{path} holds a search already; --resume goes on with it, another --out starts a new one")
    if resume and not (path / REQUEST).exists():
        raise DataError(f"--resume, but {path} holds no search; expected the --out of an interrupted one")


def _check_same(held: Request, request: Request, path: Path) -> None:
    differing = [name for name in Request.__struct_fields__ if getattr(held, name) != getattr(request, name)]
    if differing:
        found = ", ".join(f"{n} {getattr(held, n)!r} there, {getattr(request, n)!r} now" for n in differing)
        raise DataError(f"{path} holds a search of something else ({found}); give another --out, or the same arguments")


def _read(path: Path, kind: type[Struct]) -> Struct:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except msgspec.DecodeError as error:
        raise DataError(
            f"{path} is not what a search of this version wrote ({error}); delete it, or the folder"
        ) from error
