"""The logs a command can play: chosen by name, opened by path."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..printable import printable
from .topics import brokers_option

if TYPE_CHECKING:
    from ..simulation.logs.records import Log

NAMES = ("mind", "ebnerd", "globo", "files", "simulated")  # files: a folder in our own contract
TOPICS = "topics"  # those of a running system: to learn from, played.py opens them
LEARNED_FROM = (*NAMES, TOPICS)


def topics_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Options of a command that can learn from a running system."""
    options = (
        click.option("--since", metavar="TIME", help="topics: learn from what was shown at or after this time."),
        click.option("--until", metavar="TIME", help="topics: and answered before this one (default: now)."),
        brokers_option,
    )
    for option in reversed(options):
        command = option(command)
    return command


def _share(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    try:
        share = None if value is None else float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if share is not None and not 0 <= share <= 1:
        raise click.BadParameter(f"'{value}' is not a share; expected one between 0 and 1, like 0.05 or 5%", ctx, param)
    return share


rejected_option = click.option(
    "--allow-rejected",
    metavar="SHARE",
    callback=_share,
    help="Go on where up to this share of a file's rows cannot be read (default: 1%), or names articles it does not"
    " hold (default: 50%).",
)


def report(log: "Log", allowed: float | None) -> None:
    """Say on stderr what of a log could not be read; DataError where that is more than is allowed."""
    from ..simulation.logs.tally import check

    for said in log.summary.tally.said():
        click.echo(printable(said, None), err=True)
    check(log.summary.tally, allowed)


def open_log(
    name: str, path: Path | None, seed: int = 1, limit: int | None = None, allowed: float | None = None
) -> "Log":
    """A log by name, as far as it can be read (see `report`); DataError without a path where one is needed."""
    log = _opened(name, path, seed, limit)
    report(log, allowed)
    return log


def _opened(name: str, path: Path | None, seed: int, limit: int | None) -> "Log":
    from ..errors import DataError
    from ..simulation.logs import load_ebnerd, load_files, load_globo, load_mind
    from ..simulation.simulated_log import SimulatedLog

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
