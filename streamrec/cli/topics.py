"""`streamrec topics`: create and check all topics, and rewind a cursor."""

import asyncio
from typing import TYPE_CHECKING

import click

from ..contracts.records import TOPICS
from ..terminal.printable import printable
from ..terminal.times import Moment
from .options import brokers_option

if TYPE_CHECKING:
    from ..worker.recovery.rewind import Input
    from ..worker.recovery.rewind import Place as ToPlace


ROLES = ("worker", "producer", "importer", "gateway", "auditor", "operator", "trainer", "follower", "desk", "admin")


class Place(click.ParamType):
    """Where a cursor goes: the beginning, the end, or a time in ms."""

    name = "place"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> object:
        return value if value in ("beginning", "end") else Moment().convert(value, param, ctx)


@click.group()
def topics() -> None:
    """Create, check and list the Kafka topics, and move cursors where a topic was made anew.

    All settings of the topics stand in one table of the program; nothing else makes or alters them.
    """


@topics.command()
@brokers_option
def create(brokers: str | None) -> None:
    """Make the topics that are missing; leave the others as they are."""
    from ..kafka.topics import create as make
    from ..settings import load

    made = asyncio.run(make(load(brokers=brokers)))
    click.echo("\n".join(f"made {name}" for name in made) or "all topics are there")


@topics.command()
@brokers_option
@click.pass_context
def check(ctx: click.Context, brokers: str | None) -> None:
    """Compare the topics with what they should be; exit code 1 if anything differs."""
    from ..kafka.topic_drift import summary
    from ..kafka.topics import check as compare
    from ..settings import load

    drift = asyncio.run(compare(load(brokers=brokers)))
    click.echo("\n".join(printable(one, None) for one in summary(drift)) or "all topics are as they should be")
    ctx.exit(1 if drift else 0)


@topics.command()
@click.argument("topic", type=click.Choice(("articles", *TOPICS)))
@click.option("--to", type=Place(), metavar="beginning|end|TIME", required=True, help="Where reading goes on.")
@brokers_option
def rewind(topic: "Input", to: "ToPlace | int", brokers: str | None) -> None:
    r"""Move cursors that are beyond the end of TOPIC; workers end rather than go on from such a one.

    \b
    beginning  the topic was made anew
    end        its log was cut short, and what it still holds was read
    TIME       2026-01-31T12:00, or 2h ago: this is a copy of another cluster, whose offsets mean nothing here

    Stop the workers first. All profiles stay as they are, and cursors inside the log, too, unless a TIME is given: then
    all go to the first record that was appended here at that time or later.
    """
    from ..settings import load
    from ..worker.recovery.rewind import rewind as move

    moved = asyncio.run(move(load(brokers=brokers), topic, to))
    lines = [f"{topic}-{one.partition}: from {one.was} to {one.now}" for one in moved]
    click.echo("\n".join(lines) or ("no cursor is elsewhere" if isinstance(to, int) else "no cursor is beyond the end"))


@topics.command()
@click.argument("role", type=click.Choice(ROLES), required=False)
@click.option("--principal", help="Who gets them (default: User:ROLE).")
@click.option("--group", default="gateways", show_default=True, help="Consumer group of your gateways.")
@click.option("--prefixed", is_flag=True, help="One ACL an operation for all topics under STREAMREC_TOPIC_PREFIX.")
@brokers_option
def acl(role: str | None, principal: str | None, group: str, prefixed: bool, brokers: str | None) -> None:
    r"""Print the ACLs that ROLE needs, of all roles without one, as kafka-acls commands; it asks no cluster.

    \b
    worker    runs `streamrec worker`, content agent included
    producer  your CMS and your site
    importer  `streamrec produce --history`
    gateway   your gateways, and `streamrec watch`
    auditor   `streamrec audit`
    operator  `streamrec dlq` and `streamrec control`
    trainer   `streamrec train topics`
    follower  `streamrec explain`, `streamrec preview`
    desk      `streamrec desk`
    admin     `streamrec topics create` and `check`
    """
    from ..kafka.permissions import Need, commands, needs, under_prefix
    from ..settings import load

    settings = load(brokers=brokers)
    if prefixed and not settings.topic_prefix:
        raise click.UsageError("--prefixed needs a STREAMREC_TOPIC_PREFIX that no other deployment's begins with")
    connect = f"--bootstrap-server {settings.brokers}"
    if settings.security_protocol != "PLAINTEXT":
        connect += " --command-config admin.properties"
    for name in [role] if role else ROLES:
        wanted = needs(settings, name)
        if name == "gateway":
            wanted.append(Need("Read", "group", group))
        if prefixed:
            wanted = under_prefix(wanted, settings.topic_prefix)
        click.echo(f"# {name}")
        click.echo("\n".join(commands(wanted, principal or f"User:{name}", connect)))


@topics.command("list")
@brokers_option
def list_(brokers: str | None) -> None:
    """Show each topic, its partitions and its settings."""
    from ..kafka.topics import list_topics
    from ..settings import load
    from ..terminal.tables import grid, show

    table = grid("topic", "partitions", "settings")
    for spec, partitions in asyncio.run(list_topics(load(brokers=brokers))):
        config = "\n".join(f"{name}={value}" for name, value in spec.config.items())
        table.add_row(spec.name, "missing" if partitions is None else str(partitions), config)
    show(table)
