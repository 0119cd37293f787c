"""`streamrec produce`: JSON lines, or a whole history, into a topic."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from ..terminal.printable import printable
from .options import brokers_option, rejected_option

if TYPE_CHECKING:
    from ..settings import Settings

IN_FLIGHT = 1000  # records sent and not yet acknowledged: a file of any size passes through


@click.command()
@click.argument("topic", type=click.Choice(["articles", "events"]), required=False)
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

    sent = asyncio.run(_send(load(brokers=brokers), topic, keyed(topic, file, raw, reject), reject))
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


Line = tuple[int, bytes | None, bytes]  # number, key, value
Reject = Callable[[int, str], None]


def keyed(topic: str, lines: Iterable[bytes], raw: bool, reject: Reject) -> Iterator[Line]:
    """Number, key and value of each line; those that are not records of this topic go to `reject`, unless `raw`."""
    from ..contracts.limits import MAX_RECORD_BYTES

    taken = _taken_by(topic)
    for number, line in enumerate(lines, 1):
        value = line.strip()
        if not value:
            continue
        if len(value) > MAX_RECORD_BYTES and not raw:
            reject(number, f"it has {len(value)} bytes; at most {MAX_RECORD_BYTES} are taken")
            continue
        key, why = taken(value)
        if key is not None or raw:
            yield number, key, value
        else:
            reject(number, f"{why}; `streamrec schema {topic}` says what is expected")


def _taken_by(topic: str) -> Callable[[bytes], tuple[bytes | None, str]]:
    """What a worker would make of a line that came now: its key, or why it would be set aside.

    The schema is stricter: an opt-out or a withdrawal counts with hardly more than an id.
    """
    from ..clock import now_ms
    from ..contracts.decode import Origin, Typed, decode_articles, decode_events
    from ..contracts.event import UserEvent
    from ..contracts.records import RawRecord
    from ..engine.profiles.zones import is_zone

    origin = Origin(topic, 0)

    def taken(value: bytes) -> tuple[bytes | None, str]:
        record = RawRecord(0, now_ms(), None, value)
        (item,) = decode_articles([record], origin) if topic == "articles" else decode_events([record], origin, is_zone)
        if isinstance(item, Typed):
            named = item.value
            return (named.user_id if isinstance(named, UserEvent) else named.article_id).encode(), ""
        return None, " ".join(filter(None, (getattr(item, "reason", ""), getattr(item, "detail", ""))))

    return taken


async def _send(settings: "Settings", topic: str, lines: Iterator[Line], reject: Reject) -> int:
    from ..kafka.clients import producer
    from ..kafka.permissions import Need, permitted
    from ..kafka.topics import require

    await permitted(settings, "producer", [Need("Write", "topic", settings.topic(topic))])
    await require(settings, topic)
    sent, waiting = 0, []
    # the client's own limit is off: what is too large is for the topic to say
    async with producer(settings, linger_ms=5, max_request_size=2**30) as sending:
        for number, key, value in lines:
            waiting.append((number, await sending.send(settings.topic(topic), key=key, value=value)))
            if len(waiting) == IN_FLIGHT:
                sent += await _acknowledged(waiting, reject)
        sent += await _acknowledged(waiting, reject)
    return sent


async def _acknowledged(waiting: list[tuple[int, asyncio.Future[object]]], reject: Reject) -> int:
    """Wait for the broker's answers, name what it refused, and empty the list; answers with how many it took."""
    from aiokafka.errors import KafkaError, MessageSizeTooLargeError

    answers = await asyncio.gather(*(future for _, future in waiting), return_exceptions=True)
    for (number, _), answer in zip(waiting, answers, strict=True):
        if isinstance(answer, MessageSizeTooLargeError):
            reject(number, "it is larger than the topic takes (max.message.bytes)")
        elif isinstance(answer, KafkaError):
            reject(number, f"the broker refused it: {type(answer).__name__}")
        elif isinstance(answer, BaseException):
            raise answer
    waiting.clear()
    return sum(not isinstance(answer, BaseException) for answer in answers)
