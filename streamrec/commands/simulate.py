"""`streamrec simulate`."""

import asyncio
from collections import Counter

import click

from .topics import brokers_option


@click.command()
@click.option("--users", type=click.IntRange(1), default=2000, show_default=True, help="Simulated readers.")
@click.option(
    "--visits", type=click.FloatRange(0), default=20.0, show_default=True, help="A second; each shows ten articles."
)
@click.option("--articles", type=click.FloatRange(0), default=12.0, show_default=True, help="A minute.")
@click.option("--seconds", type=click.FloatRange(0), help="Stop after this time (default: never).")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True)
@brokers_option
def simulate(users: int, visits: float, articles: float, seconds: float | None, seed: int, brokers: str | None) -> None:
    """Publish a simulated newsroom and its readers to the cluster: the producers of a system without producers."""
    import contextlib

    from ..clock import monotonic_s
    from ..settings import load
    from ..simulation.live import Rate, publish_live
    from ..simulation.newsroom import Newsroom
    from ..simulation.readers import Readers
    from ..worker.topics import reachable

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
