"""`streamrec bench follower` and `preview`: the read-only copy, and the questions it answers."""

import asyncio
from pathlib import Path

import click

from .options import brokers_option


@click.command()
@click.option(
    "--users", type=click.IntRange(100), default=1_000_000, show_default=True, help="Readers of the partition."
)
@click.option("--rounds", type=click.IntRange(1), default=7, show_default=True)
@click.option("--partitions", type=click.IntRange(1), default=1, show_default=True, help="A question stops at each.")
@click.option("--model", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Artifact to score with.")
def preview(users: int, rounds: int, partitions: int, model: Path | None) -> dict[str, object]:
    """Seconds to say who would get a draft, on one core; without --model a drawn network of the shipped sizes scores.

    Readers are simulated ones after half a day, each many times under other names.
    """
    from threadpoolctl import threadpool_limits

    from ..tools.bench.preview import measure, summary

    with threadpool_limits(1):
        return summary(measure(users, rounds, model, partitions))


@click.command()
@click.option("--per-s", type=click.FloatRange(1), default=2000.0, show_default=True, help="Clicks a second.")
@click.option("--seconds", type=click.FloatRange(1), default=20.0, show_default=True)
@click.option("--users", type=click.IntRange(0), default=0, show_default=True, help="Rows to restore first; 0: none.")
@click.option("--partitions", type=click.IntRange(1), default=4, show_default=True)
@brokers_option
def follower(per_s: float, seconds: float, users: int, partitions: int, brokers: str | None) -> dict[str, object]:
    """Time from the append of a row until the follower has it, its CPU beside a worker under load, and its restore."""
    from ..settings import load
    from ..tools.bench.follower import measure
    from ..tools.local_kafka.local_kafka import cluster_or_local

    with cluster_or_local(load(brokers=brokers)) as cluster:
        return asyncio.run(measure(cluster, per_s, seconds, users, partitions))
