"""`streamrec simulate`: a simulated newsroom, live into Kafka or as files."""

import asyncio
from collections import Counter
from pathlib import Path

import click
from click.core import ParameterSource

from ..terminal.printable import printable
from .options import brokers_option, readers_option, seed_option


@click.command()
@readers_option
@click.option(
    "--visits", type=click.FloatRange(0), default=20.0, show_default=True, help="A second; each shows ten articles."
)
@click.option("--articles", type=click.FloatRange(0), default=12.0, show_default=True, help="A minute.")
@click.option("--seconds", type=click.FloatRange(0), help="Stop after this time (default: never).")
@seed_option
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Write a log there instead of publishing.")
@click.option(
    "--hours",
    type=click.FloatRange(1),
    default=48.0,
    show_default=True,
    help="--out: of visits; articles begin before.",
)
@brokers_option
@click.pass_context
def simulate(
    ctx: click.Context,
    users: int,
    visits: float,
    articles: float,
    seconds: float | None,
    seed: int,
    out: Path | None,
    hours: float,
    brokers: str | None,
) -> None:
    r"""Publish a simulated newsroom and its readers to the cluster: the producers of a system without producers.

    With --out no cluster is needed: it writes articles.jsonl and events.jsonl, an example of a log in our own contract
    (`streamrec schema log`). The same seed, users and hours give the same files.

    \b
    streamrec simulate --out example
    streamrec train files example --out model
    streamrec replay files example --no-broker
    """
    given = {name for name in ctx.params if ctx.get_parameter_source(name) is ParameterSource.COMMANDLINE}
    useless = given & {"visits", "articles", "seconds", "brokers"} if out else given & {"hours"}
    if useless:
        names = ", ".join(f"--{name}" for name in sorted(useless))
        raise click.UsageError(f"{names}: {'not with' if out else 'only with'} --out")
    if out is not None:
        _write(out, users, hours, seed)
        return
    _publish(users, visits, articles, seconds, seed, brokers)


def _write(out: Path, users: int, hours: float, seed: int) -> None:
    from ..datasets.contract_files import write_files
    from ..datasets.simulated.log import SimulatedLog

    written = write_files(out, SimulatedLog(seed, users, hours))
    said = f"wrote {written['articles']} articles and {written['events']} events: streamrec train files {out}"
    click.echo(printable(said, None))


def _publish(users: int, visits: float, articles: float, seconds: float | None, seed: int, brokers: str | None) -> None:
    import contextlib

    from ..clock import monotonic_s
    from ..datasets.simulated.newsroom import Newsroom
    from ..datasets.simulated.readers import Readers
    from ..kafka.topics import reachable
    from ..settings import load
    from ..tools.simulation.live import Rate, publish_live

    settings, started_s, sent = load(brokers=brokers), monotonic_s(), Counter[str]()

    async def run() -> None:
        await reachable(settings)
        await publish_live(
            settings,
            Newsroom(seed),
            Readers(users, seed),
            Rate(visits, articles),
            seed,
            lambda: seconds is not None and monotonic_s() - started_s > seconds,
            sent,
        )

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(run())
    click.echo(f"sent {sent['articles']} articles and {sent['events']} events")
