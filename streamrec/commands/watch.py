"""`streamrec watch`."""

import asyncio
from typing import TYPE_CHECKING

import click

from .topics import brokers_option

if TYPE_CHECKING:
    from ..contracts.push import Push


@click.command()
@click.option("--from-beginning", is_flag=True, help="Also those that left before now.")
@click.option("--json", "as_json", is_flag=True, help="Each push as the gateway gets it, one line.")
@click.option("--limit", type=int, help="Stop after this many.")
@brokers_option
def watch(from_beginning: bool, as_json: bool, limit: int | None, brokers: str | None) -> None:
    """Show pushes as they leave, one line each. It reads committed records only, as every gateway must."""
    import contextlib

    from ..settings import load

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_watch(load(brokers=brokers), from_beginning, as_json, limit))


def sentence(push: "Push", latency_ms: int) -> str:
    """One push as a person reads it."""
    args = push.reason.args
    why = {
        "recent_reads": f"{args.get('count')} recent reads in {args.get('category')}",
        "similar_interest": f"similar to earlier reads ({args.get('category') or 'no category'})",
        "breaking": f"breaking news in {args.get('category') or 'general'}",
    }[push.reason.code]
    return (
        f"push {push.user_id} <- {push.title!r}  because: {why}  "
        f"p={push.relevance:.2f}  {push.model.engine}  {latency_ms} ms"
    )


async def _watch(settings: object, from_beginning: bool, as_json: bool, limit: int | None) -> None:
    import msgspec
    from aiokafka import AIOKafkaConsumer

    from ..contracts.push import Push
    from ..settings import Settings
    from ..worker.topics import reachable

    assert isinstance(settings, Settings)
    await reachable(settings)
    consumer = AIOKafkaConsumer(
        settings.topic("push"),
        bootstrap_servers=settings.brokers,
        isolation_level="read_committed",
        auto_offset_reset="earliest" if from_beginning else "latest",
    )
    await consumer.start()
    shown = 0
    try:
        async for record in consumer:
            push = msgspec.json.decode(record.value, type=Push)
            click.echo(record.value if as_json else sentence(push, max(0, record.timestamp - push.event_at_ms)))
            shown += 1
            if shown == limit:
                return
    finally:
        await consumer.stop()
