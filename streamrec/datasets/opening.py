"""A log by its name, opened by the paths of its parts, with what of it could not be read said on stderr."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..errors import DataError
from ..terminal.printable import note
from .contract_files import load_files
from .ebnerd import load_ebnerd
from .globo import load_globo
from .mind import load_mind
from .records import Log
from .simulated.log import SimulatedLog
from .tally import check

OF_FOLDERS: Mapping[str, Callable[..., Log]] = {"mind": load_mind, "ebnerd": load_ebnerd, "files": load_files}


def open_log(
    name: str, paths: Sequence[Path], seed: int = 1, limit: int | None = None, allowed: float | None = None
) -> Log:
    """A log by name, as far as it can be read (see `report`); several paths are its parts, and one log.

    DataError without a path where one is needed.
    """
    log: Log
    if name == "simulated":
        log = SimulatedLog(seed)
    elif not paths:
        raise DataError(f"`{name}` needs the path of its data: a folder, or for globo a file")
    elif name == "globo":
        log = load_globo(*paths, limit=limit)
    else:
        log = OF_FOLDERS[name](*paths)
    report(log, allowed)
    return log


def report(log: Log, allowed: float | None) -> None:
    """Say on stderr what of a log could not be read; DataError where that is more than is allowed."""
    for said in log.summary.tally.said():
        note(said)
    check(log.summary.tally, allowed)
