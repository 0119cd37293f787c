"""`streamrec demo`: broker, newsroom, model and worker on one machine."""

import click

from .options import readers_option


@click.command()
@click.option(
    "--seconds", type=click.FloatRange(0), help="End by itself after this much live time (default: Ctrl-C ends it)."
)
@readers_option
@click.option(
    "--visits", type=click.FloatRange(0), default=20.0, show_default=True, help="A second; each shows ten articles."
)
@click.option("--articles", type=click.FloatRange(0), default=60.0, show_default=True, help="A minute.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Another seed, another newsroom.")
def demo(seconds: float | None, users: int, visits: float, articles: float, seed: int) -> None:
    """See it work: a real Kafka, a simulated newsroom, a worker, and pushes as they leave.

    Starts Apache Kafka (or uses STREAMREC_BROKERS), writes two days of history of a simulated newsroom and its
    readers, trains a small ranker on it, starts a worker as a process of its own, and lets the news happen. Every
    line is a push that was committed (three a second are shown, all are counted). Kill the worker (its pid is
    shown): it is started again and goes on. Into a pipe everything is plain lines.

    Its push policy is loosened, so that a minute shows something, and it says how; what you set with STREAMREC_...
    stands. `streamrec kafka` and the README's "By hand" show the shipped one.
    """
    from ..settings import load
    from ..terminal.tables import PlainConsole
    from ..tools.demo.run import Options, run_demo
    from ..tools.simulation.live import Rate

    run_demo(load(), Options(seconds, users, seed, Rate(visits, articles)), PlainConsole())
