"""Options that several commands share."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from ..datasets import LEARNED_FROM
from ..settings import ENCODERS

KAFKA_VERSIONS = ("4.2.2", "4.4.0")  # of which the embedded Kafka has locks, its own first
Command = Callable[..., Any]


def all_of(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Several options as one, in the order of --help."""

    def wrap(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return wrap


def _share(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    try:
        share = None if value is None else float(value.removesuffix("%")) / (100 if value.endswith("%") else 1)
    except ValueError:
        share = -1.0
    if share is not None and not 0 <= share <= 1:
        raise click.BadParameter(f"'{value}' is not a share; expected one between 0 and 1, like 0.05 or 5%", ctx, param)
    return share


brokers_option = click.option("--brokers", metavar="HOST:PORT,...", help="Bootstrap servers (STREAMREC_BROKERS).")
encoder_option = click.option(
    "--encoder", type=click.Choice(ENCODERS), help="What reads the articles (STREAMREC_ENCODER)."
)
folder_argument = click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
kafka_options = all_of(
    click.option(
        "--nodes", type=click.Choice([1, 3]), default=1, show_default=True,
        help="Of the embedded Kafka; three keep three copies, and any one may be away.",
    ),
    click.option(
        "--kafka-version", type=click.Choice(KAFKA_VERSIONS), default=KAFKA_VERSIONS[0], show_default=True,
        help="Of the embedded Kafka.",
    ),
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
log_option = click.option(
    "--log", required=True, type=click.Choice(LEARNED_FROM), help="What to learn from and to be judged on."
)
threshold_options = all_of(
    click.option(
        "--pushes-per-reader-day", type=click.FloatRange(0, min_open=True), default=2.0, show_default=True,
        help="Record the threshold that so many of the shown candidates reach.",
    ),
    click.option("--min-score", type=click.FloatRange(0, 1), help="Record this threshold instead."),
)  # fmt: skip
paths_argument = click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(exists=True, path_type=Path))
readers_option = click.option(
    "--users", type=click.IntRange(1), default=2000, show_default=True, help="Simulated readers."
)
rejected_option = click.option(
    "--allow-rejected",
    metavar="SHARE",
    callback=_share,
    help="Go on where up to this share of a file's rows cannot be read (default: 1%), or names articles it does not"
    " hold (default: 50%).",
)
seed_option = click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
topics_options = all_of(
    click.option("--since", metavar="TIME", help="topics: learn from what was shown at or after this time."),
    click.option("--until", metavar="TIME", help="topics: and answered before this one (default: now)."),
    brokers_option,
)
