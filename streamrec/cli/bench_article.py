"""`streamrec bench article`: one fresh article meets everybody."""

import asyncio

import click

from ..tools.bench.machine import commit, machine
from .topics import brokers_option


@click.command()
@click.option("--users", type=click.IntRange(1000), default=1_000_000, show_default=True, help="Of the one partition.")
@click.option("--per-s", default=1000.0, show_default=True, help="Clicks/s, before and meanwhile.")
@click.option("--model", type=click.Path(exists=True, file_okay=False), help="Artifact to score with (default: prior).")
@brokers_option
def article(users: int, per_s: float, model: str | None, brokers: str | None) -> None:
    """Seconds from the publication of an article until everybody has their push, and latency of clicks meanwhile.

    One worker, one partition, no cap and no floor: every user is pushed to, which is more than any real article does.
    """
    import orjson
    from rich.table import Table

    from ..settings import load
    from ..terminal.tables import show
    from ..tools.bench.article import measure
    from ..tools.local_kafka.local_kafka import brokers_or_local

    with brokers_or_local(load(brokers=brokers)) as bootstrap:
        met = asyncio.run(measure(bootstrap, users, per_s, model))
    table = Table("users", "pushes", "first ms", "50,000 s", "all s", "pushes/s", box=None, pad_edge=False)
    times = (f"{met.first_ms:.0f}", f"{met.fifty_thousand_s:.1f}", f"{met.all_s:.1f}", f"{met.pushes / met.all_s:,.0f}")
    table.add_row(f"{met.users:,}", f"{met.pushes:,}", *times)
    show(table)
    clicks = f"{met.click_p99_before_ms:.0f} ms before, {met.click_p99_during_ms:.0f} ms meanwhile"
    show(f"click -> push, p99 at {per_s:,.0f} clicks/s: {clicks}")
    print(orjson.dumps({**met._asdict(), "per_s": per_s, "commit": commit(), "machine": machine()}).decode())
