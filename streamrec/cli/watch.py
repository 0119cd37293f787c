"""`streamrec watch`: pushes as they leave."""

import asyncio
from typing import TYPE_CHECKING

import click

from .options import brokers_option

if TYPE_CHECKING:
    from ..settings import Settings


@click.command()
@click.option("--from-beginning", is_flag=True, help="Also those that left before now.")
@click.option("--json", "as_json", is_flag=True, help="Each push as the gateway gets it, one line.")
@click.option("--limit", type=click.IntRange(1), help="Stop after this many.")
@brokers_option
def watch(from_beginning: bool, as_json: bool, limit: int | None, brokers: str | None) -> None:
    """Show pushes as they leave, one line each. It reads committed records only, as every gateway must.

    None comes? The worker's log says every minute what was decided, and what held the others back.
    """
    import contextlib

    from ..settings import load

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_watch(load(brokers=brokers), from_beginning, as_json, limit))


async def _watch(settings: "Settings", from_beginning: bool, as_json: bool, limit: int | None) -> None:
    import msgspec

    from ..contracts.framing import UNDECODABLE
    from ..contracts.push import Push
    from ..kafka.clients import consumer
    from ..kafka.permissions import Need, permitted
    from ..kafka.topics import require
    from ..terminal.printable import printable_json
    from ..terminal.push_sentence import sentence

    await permitted(settings, "gateway", [Need("Read", "topic", settings.topic("push"))])
    await require(settings, "push")
    pushes = consumer(
        settings,
        settings.topic("push"),
        isolation_level="read_committed",
        auto_offset_reset="earliest" if from_beginning else "latest",
    )
    shown = 0
    async with pushes:
        async for record in pushes:
            try:
                push = msgspec.json.decode(record.value or b"", type=Push)
            except UNDECODABLE:
                place = f"{record.topic}-{record.partition}"
                click.echo(f"{place}: what lies at offset {record.offset} is no push", err=True)
                continue
            said = sentence(push, max(0, record.timestamp - push.event_at_ms))
            click.echo(printable_json(record.value) if as_json else said)
            shown += 1
            if shown == limit:
                return
