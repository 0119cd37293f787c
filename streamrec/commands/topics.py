"""`streamrec topics`."""

import asyncio

import click

brokers_option = click.option("--brokers", metavar="HOST:PORT,...", help="Bootstrap servers (STREAMREC_BROKERS).")


@click.group()
def topics() -> None:
    """Create, check and list the Kafka topics.

    All settings of the topics stand in one table of the program; nothing else makes or alters them.
    """


@topics.command()
@brokers_option
def create(brokers: str | None) -> None:
    """Make the topics that are missing; leave the others as they are."""
    from ..settings import load
    from ..worker.topics import create as make

    made = asyncio.run(make(load(brokers=brokers)))
    click.echo("\n".join(f"made {name}" for name in made) or "all topics are there")


@topics.command()
@brokers_option
@click.pass_context
def check(ctx: click.Context, brokers: str | None) -> None:
    """Compare the topics with what they should be; exit code 1 if anything differs."""
    from ..settings import load
    from ..worker.topics import check as compare

    drift = asyncio.run(compare(load(brokers=brokers)))
    click.echo("\n".join(map(str, drift)) or "all topics are as they should be")
    ctx.exit(1 if drift else 0)


@topics.command("list")
@brokers_option
def list_(brokers: str | None) -> None:
    """Show each topic, its partitions and its settings."""
    from rich.console import Console
    from rich.table import Table

    from ..settings import load
    from ..worker.topics import list_topics

    table = Table("topic", "partitions", "settings", box=None, pad_edge=False)
    for spec, partitions in asyncio.run(list_topics(load(brokers=brokers))):
        config = "\n".join(f"{name}={value}" for name, value in spec.config.items())
        table.add_row(spec.name, "missing" if partitions is None else str(partitions), config)
    Console(soft_wrap=True).print(table)
