"""`streamrec dlq`: list, show and redrive dead letters."""

import asyncio
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..contracts.records import REJECT_REASONS
from ..operations.dlq.letters import DEAD_LETTER_TOPICS, Choice, Group, Letter, groups
from ..terminal.printable import printable
from ..terminal.times import Moment
from .options import all_of, brokers_option

if TYPE_CHECKING:
    from ..operations.dlq.redriving import Plan

SHOWN = 20  # reasons why letters are refused


filters = all_of(
    click.option(
        "--topic", "topics", multiple=True, type=click.Choice(DEAD_LETTER_TOPICS), help="Only this one; repeatable."
    ),
    click.option(
        "--reason",
        "reasons",
        multiple=True,
        type=click.Choice(REJECT_REASONS),
        metavar="REASON",
        help="Only this one; repeatable.",
    ),
    click.option("--since", "since_ms", type=Moment(), metavar="TIME", help="Set aside then or later: 2h, 3d, or ISO."),
)
redriven_filter = click.option(
    "--redriven/--open", default=None, help="Only those already redriven, or only the others."
)
json_option = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")


@click.group()
def dlq() -> None:
    """List, show and redrive dead letters.

    A record that cannot be used is set aside in `<topic>.dlq` with the reason. When the cause is gone (a release that
    is fixed, a setting that is corrected), `redrive` writes it back to its topic.
    """


@dlq.command("list")
@filters
@redriven_filter
@json_option
@brokers_option
def list_(as_json: bool, brokers: str | None, **choice: Any) -> None:
    """Count letters by topic and reason."""
    from ..terminal.tables import show_json

    found = groups(_read(brokers, choice))
    if as_json:
        for group in found:
            show_json(group._asdict())
        return
    if found:
        _table(found)
    total, still = sum(group.letters for group in found), sum(group.open for group in found)
    click.echo(f"{still} of {total} letters are open: not redriven yet" if total else "no dead letters")


@dlq.command()
@filters
@redriven_filter
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1), help="The newest this many.")
@click.option("--value", "with_value", is_flag=True, help="Key and value as well; they may be about a user.")
@click.option("--full", is_flag=True, help="All headers and whole values; --json has them anyway.")
@json_option
@brokers_option
def show(limit: int, with_value: bool, full: bool, as_json: bool, brokers: str | None, **choice: Any) -> None:
    """Show single letters, the newest first: where, when, why, where they came from and their own headers.

    What does not print is escaped. With --json bytes that are no UTF-8 are {"base64": "..."}.
    """
    from ..operations.dlq.display import record, text
    from ..operations.dlq.reading import whole
    from ..settings import load
    from ..terminal.tables import show_json

    letters = sorted(_read(brokers, choice), key=lambda letter: letter.at_ms, reverse=True)
    for letter in asyncio.run(whole(load(brokers=brokers), letters[:limit])):
        if as_json:
            show_json(record(letter, with_value))
        else:
            click.echo(text(letter, with_value, full=full))
    if not as_json:
        more = f"; --limit {len(letters)} shows all" if len(letters) > limit else ""
        click.echo(f"{min(limit, len(letters))} of {len(letters)} letters{more}" if letters else "no dead letters")


@dlq.command()
@filters
@click.option("--again", is_flag=True, help="Also letters that were redriven before.")
@click.option("--dry-run", is_flag=True, help="Say what would happen; write nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@brokers_option
@click.pass_context
def redrive(ctx: click.Context, /, again: bool, dry_run: bool, yes: bool, brokers: str | None, **choice: Any) -> None:
    """Write letters back to the topics they came from, each once, with a header that says where they were.

    Events go to the partition of their key, other records to the one they came from. Safe to repeat and to interrupt:
    a letter is redriven and marked in one transaction. The markers of earlier runs are read first, and a second run at
    the same time stops the first.

    A record counts as new where it arrives. An article stays where it is if `articles` holds a later record of it, a
    version or its withdrawal, or does not go back to it any more. Letters of catalog are not written back: a newer
    version of the article, or its withdrawal, may be there. Publish the article again: the partitions that have it
    already take no notice.

    Exit code 1 if a chosen letter cannot be redriven: because it was cut, for example.
    """
    from ..kafka.permissions import permitted
    from ..operations.dlq.later_versions import since
    from ..operations.dlq.redriving import plan, redrives
    from ..operations.dlq.redriving import redrive as write_back
    from ..settings import load

    settings = load(brokers=brokers)
    asyncio.run(permitted(settings, "operator"))
    letters = _read(brokers, choice)
    taken = [letter for letter in letters if again or letter.is_open]
    planned = plan(taken, settings, asyncio.run(since(settings, taken)))
    _say(planned, len(letters) - len(taken), dry_run)
    if planned.ready and not dry_run:
        if not yes:
            click.confirm(f"redrive {len(planned.ready)} letters?", abort=True)
        with click.progressbar(length=len(planned.ready), file=sys.stderr, label="redriving") as bar:
            done = asyncio.run(write_back(settings, redrives(planned.ready), lambda done: bar.update(done - bar.pos)))
        gone = len(planned.ready) - done
        left_out = f"; {gone} left out: redriven, replaced or deleted in the meantime" if gone else ""
        click.echo(f"{done} letters redriven{left_out}")
    ctx.exit(1 if planned.refused else 0)


def _read(brokers: str | None, choice: dict[str, Any]) -> list[Letter]:
    from ..operations.dlq.reading import read
    from ..settings import load

    wanted = Choice(**choice)
    letters = asyncio.run(read(load(brokers=brokers), wanted.topics, wanted._replace(redriven=None).takes))
    return [letter for letter in letters if wanted.takes(letter)]


def _table(found: Iterable[Group]) -> None:
    from ..operations.dlq.display import moment
    from ..terminal.tables import grid, show

    table = grid("topic", "reason", "letters", "open", "oldest", "newest")
    for column in table.columns[2:4]:
        column.justify = "right"
    for group in found:
        times = moment(group.oldest_ms, "minutes"), moment(group.newest_ms, "minutes")
        table.add_row(group.topic, printable(group.reason), str(group.letters), str(group.open), *times)
    show(table)


def _say(planned: "Plan", redriven: int, dry_run: bool) -> None:
    for group in groups(planned.ready):
        reason = printable(group.reason)
        click.echo(
            f"{group.letters} of {group.topic}.dlq ({reason}) {'would go' if dry_run else 'go'} to {group.topic}"
        )
    _refused(planned.refused)
    if redriven:
        click.echo(f"{redriven} were redriven before and are left out; --again takes them, too")
    if not planned.ready:
        click.echo("nothing to redrive")


def _refused(refused: Sequence[tuple[Letter, str]]) -> None:
    alike: dict[tuple[str, str], list[Letter]] = defaultdict(list)
    for letter, why in refused:
        alike[letter.place.topic, why].append(letter)
    for (topic, why), letters in list(alike.items())[:SHOWN]:
        which = letters[0].place if len(letters) == 1 else f"{len(letters)} of {topic}.dlq"
        click.echo(f"not {which}: {printable(why)}", err=True)
    if refused:
        more = f"; {SHOWN} of {len(alike)} reasons are named" if len(alike) > SHOWN else ""
        click.echo(f"{len(refused)} cannot be redriven{more}", err=True)
