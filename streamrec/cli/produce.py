"""`streamrec produce`: JSON lines, or a whole history, into a topic."""

import asyncio
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from ..terminal.printable import printable
from .options import brokers_option, rejected_option

if TYPE_CHECKING:
    from ..settings import Settings


@click.command()
@click.argument("topic", type=click.Choice(["articles", "events", "preferences"]), required=False)
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--raw", is_flag=True, help="Send lines as they are, without checking them: to see a dead letter.")
@click.option(
    "--history",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Instead of a topic: a file articles.* or events.*, or a folder of them; repeatable.",
)
@rejected_option
@brokers_option
@click.pass_context
def produce(
    ctx: click.Context,
    topic: str | None,
    file: IO[bytes],
    raw: bool,
    history: tuple[Path, ...],
    allow_rejected: float | None,
    brokers: str | None,
) -> None:
    r"""Write JSON lines from FILE (default: standard input) into a topic, to try it by hand; or a whole history.

    \b
    echo '{"article_id":"a1","title":"Quantum chip sets record","published_at_ms":'$(date +%s)000'}' \
      | streamrec produce articles

    Each line is one record, checked as a worker would before it is sent; its key is the article_id or user_id. A line
    that is not a record is named and left out, the others are sent; the exit code is then 1.

    \b
    streamrec produce --history DIR             # articles.jsonl and events.jsonl; also .csv, .parquet, .gz, .zst

    With --history a launch does not start blind: readers' past, of any age, teaches their profiles with its decay, and
    opt-outs count; nothing is pushed because of it. Start the workers first: articles are sent, and events once the
    workers know them. At most STREAMREC_MAX_ARTICLES articles at a time are remembered. What is refused is counted with
    its reason before anything is sent, and more than 1 % stops it (--allow-rejected). It may be given again after it
    was interrupted: articles that are there change nothing, nor does what readers did with an article that their row
    still remembers (the last 22); what they did with others counts again. `streamrec schema log` says how the files
    look.
    """
    from ..operations.json_lines import keyed, send
    from ..settings import load

    if bool(history) == bool(topic):
        raise click.UsageError("expected a topic (articles or events), or --history PATH")
    if topic is None:
        _history(load(brokers=brokers), history, allow_rejected)
        return
    rejected: list[int] = []

    def reject(number: int, why: str) -> None:
        rejected.append(number)
        click.echo(f"line {number} is not sent: {printable(why)}", err=True)

    sent = asyncio.run(send(load(brokers=brokers), topic, keyed(topic, file, raw, reject), reject))
    click.echo(f"{sent} records sent to {topic}" + (f", {len(rejected)} lines left out" if rejected else ""))
    ctx.exit(1 if rejected else 0)


def _history(settings: "Settings", paths: tuple[Path, ...], allowed: float | None) -> None:
    from ..datasets.tally import check
    from ..operations.history_import import counted, send_history, sources_of
    from ..terminal.progress import Bars

    sources = sources_of(paths)
    tally, counts = counted(sources)
    for said in tally.said():
        click.echo(printable(said, None), err=True)
    check(tally, allowed)
    if counts["articles"] > settings.max_articles:
        click.echo(
            f"{counts['articles']:,} articles are more than STREAMREC_MAX_ARTICLES ({settings.max_articles:,}):"
            " events on the first of them will teach nothing",
            err=True,
        )
    with Bars() as progress:
        asyncio.run(send_history(settings, sources, counts, progress))
    click.echo(f"{counts['articles']} articles and {counts['events']} events sent")
