"""Options of the commands that play a log: which one, where it lies, and how much of it."""

from collections.abc import Callable
from typing import Any

import click

from .topics import brokers_option


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
