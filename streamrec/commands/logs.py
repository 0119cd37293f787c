"""The logs a command can play: chosen by name, opened by path."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .topics import brokers_option

if TYPE_CHECKING:
    from ..simulation.logs.records import Log

NAMES = ("mind", "ebnerd", "globo", "simulated")
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


def open_log(name: str, path: Path | None, seed: int = 1, limit: int | None = None) -> "Log":
    """A log by name; DataError without a path where one is needed."""
    from ..errors import DataError
    from ..simulation.logs import load_ebnerd, load_globo, load_mind
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
        case _:
            return load_globo(path, limit)
