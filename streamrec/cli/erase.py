"""`streamrec erase`: forget a reader."""

import asyncio

import click

from ..terminal.printable import printable
from .options import brokers_option


@click.command()
@click.argument("user")
@click.option(
    "--wait", "wait_s", default=60, show_default=True, type=click.IntRange(1), help="Seconds for a worker to do it."
)
@brokers_option
def erase(user: str, wait_s: int, brokers: str | None) -> None:
    """Forget USER: profile, preferences and what waits for them; older records about them count no more.

    It is asked for in the topic `erasure`, and a worker does it. What was deleted is printed, and what stays in which
    topic until when: Kafka deletes no single record. `streamrec audit --erased` looks later whether anything came back.
    """
    from ..operations.erasing import erase as ask
    from ..settings import load
    from ..terminal.tables import show_json
    from ..terminal.times import utc_minute

    done = asyncio.run(ask(load(brokers=brokers), user, wait_s))
    receipt = done.receipt
    there = [
        *["profile"] * receipt.row,
        *["preferences"] * receipt.preferences,
        *[f"{receipt.waiting_events} events that waited for their article"] * (receipt.waiting_events > 0),
    ]
    click.echo(f"deleted in partition {done.partition}: {', '.join(there) or 'nothing was kept of them'}")
    for each in done.stays:
        until = f"until {utc_minute(each.until_ms)} at the latest" if each.until_ms else "until it is compacted"
        click.echo(f"may stay in {printable(each.topic)} {until}")
    show_json(
        {
            "partition": done.partition,
            **receipt._asdict(),
            "stays": {each.topic: each.until_ms for each in done.stays},
        }
    )
