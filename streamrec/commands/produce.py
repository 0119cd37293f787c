"""`streamrec produce`."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import IO, TYPE_CHECKING

import click

from ..printable import printable
from .topics import brokers_option

if TYPE_CHECKING:
    from ..settings import Settings

IN_FLIGHT = 1000  # records sent and not yet acknowledged: a file of any size passes through


@click.command()
@click.argument("topic", type=click.Choice(["articles", "events"]))
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--raw", is_flag=True, help="Send lines as they are, without checking them: to see a dead letter.")
@brokers_option
@click.pass_context
def produce(ctx: click.Context, topic: str, file: IO[bytes], raw: bool, brokers: str | None) -> None:
    r"""Write JSON lines from FILE (default: standard input) into a topic, to try it by hand.

    \b
    echo '{"article_id":"a1","title":"Quantum chip sets record","published_at_ms":'$(date +%s)000'}' \
      | streamrec produce articles

    Each line is one record, checked before it is sent; its key is the article_id or user_id. A line that is not a
    record is named and left out, the others are sent; the exit code is then 1.
    """
    from ..settings import load

    rejected: list[int] = []

    def reject(number: int, why: str) -> None:
        rejected.append(number)
        click.echo(f"line {number} is not sent: {printable(why)}", err=True)

    sent = asyncio.run(_send(load(brokers=brokers), topic, keyed(topic, file, raw, reject), reject))
    click.echo(f"{sent} records sent to {topic}" + (f", {len(rejected)} lines left out" if rejected else ""))
    ctx.exit(1 if rejected else 0)


Line = tuple[int, bytes | None, bytes]  # number, key, value
Reject = Callable[[int, str], None]


def keyed(topic: str, lines: Iterable[bytes], raw: bool, reject: Reject) -> Iterator[Line]:
    """Number, key and value of each line; those that are not records of this topic go to `reject`, unless `raw`."""
    import msgspec

    from ..contracts.framing import UNDECODABLE
    from ..contracts.limits import MAX_RECORD_BYTES
    from ..contracts.schema import RECORDS

    id_field = "article_id" if topic == "articles" else "user_id"
    decoder = msgspec.json.Decoder(RECORDS[topic])
    for number, line in enumerate(lines, 1):
        value = line.strip()
        if not value:
            continue
        if len(value) > MAX_RECORD_BYTES and not raw:
            reject(number, f"it has {len(value)} bytes; at most {MAX_RECORD_BYTES} are taken")
            continue
        try:
            yield number, getattr(decoder.decode(value), id_field).encode(), value
        except UNDECODABLE as error:
            if raw:
                yield number, None, value
            else:
                reject(number, f"{error}; `streamrec schema {topic}` says what is expected")


async def _send(settings: "Settings", topic: str, lines: Iterator[Line], reject: Reject) -> int:
    from aiokafka import AIOKafkaProducer

    from ..worker.topics import require

    await require(settings, topic)
    sent, waiting = 0, []
    # the client's own limit is off: what is too large is for the topic to say
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers, linger_ms=5, max_request_size=2**30)
    await producer.start()
    try:
        for number, key, value in lines:
            waiting.append((number, await producer.send(settings.topic(topic), key=key, value=value)))
            if len(waiting) == IN_FLIGHT:
                sent += await _acknowledged(waiting, reject)
        sent += await _acknowledged(waiting, reject)
    finally:
        await producer.stop()
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
