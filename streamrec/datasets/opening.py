"""A log by its name, opened by path, with what of it could not be read said on stderr."""

from pathlib import Path

from ..errors import DataError
from ..terminal.printable import note
from .ebnerd import load_ebnerd
from .globo import load_globo
from .mind import load_mind
from .own_files import load_files
from .records import Log
from .simulated.log import SimulatedLog
from .tally import check


def open_log(
    name: str, path: Path | None, seed: int = 1, limit: int | None = None, allowed: float | None = None
) -> Log:
    """A log by name, as far as it can be read (see `report`); DataError without a path where one is needed."""
    log = _opened(name, path, seed, limit)
    report(log, allowed)
    return log


def report(log: Log, allowed: float | None) -> None:
    """Say on stderr what of a log could not be read; DataError where that is more than is allowed."""
    for said in log.summary.tally.said():
        note(said)
    check(log.summary.tally, allowed)


def _opened(name: str, path: Path | None, seed: int, limit: int | None) -> Log:
    if name == "simulated":
        return SimulatedLog(seed)
    if path is None:
        raise DataError(f"`{name}` needs the path of its data: a folder, or for globo a file")
    match name:
        case "mind":
            return load_mind(path)
        case "ebnerd":
            return load_ebnerd(path)
        case "files":
            return load_files(path)
        case _:
            return load_globo(path, limit)
