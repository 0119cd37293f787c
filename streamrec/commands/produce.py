"""`streamrec produce`."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import IO

import click

from .topics import brokers_option


@click.command()
@click.argument("topic", type=click.Choice(["articles", "events"]))
@click.argument("file", type=click.File("rb"), default="-")
@click.option("--raw", is_flag=True, help="Send lines as they are, without checking them: to see a dead letter.")
@brokers_option
def produce(topic: str, file: IO[bytes], raw: bool, brokers: str | None) -> None:
    r"""Write JSON lines from FILE (default: standard input) into a topic, to try it by hand.

    \b
    echo '{"article_id":"a1","title":"Quantum chip sets record","published_at_ms":1767225600000}' \
      | streamrec produce articles

    Each line is one record, checked before it is sent; its key is the article_id or user_id.
    """
    from ..settings import load

    sent = asyncio.run(_send(load(brokers=brokers), topic, file, raw))
    click.echo(f"{sent} records sent to {topic}")


def keyed(topic: str, lines: Iterable[bytes], raw: bool) -> Iterator[tuple[bytes | None, bytes]]:
    """Key and value of each line; DataError with the number of the line that is not a record of this topic."""
    import msgspec

    from ..contracts.schema import RECORDS
    from ..errors import DataError

    id_field = "article_id" if topic == "articles" else "user_id"
    decoder = msgspec.json.Decoder(RECORDS[topic])
    for number, line in enumerate(lines, 1):
        value = line.strip()
        if not value:
            continue
        try:
            yield getattr(decoder.decode(value), id_field).encode(), value
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if not raw:
                raise DataError(f"line {number} is not a record of {topic}: {error}") from None
            yield None, value


async def _send(settings: object, topic: str, lines: Iterable[bytes], raw: bool) -> int:
    from aiokafka import AIOKafkaProducer

    from ..settings import Settings
    from ..worker.topics import reachable

    assert isinstance(settings, Settings)
    await reachable(settings)
    producer = AIOKafkaProducer(bootstrap_servers=settings.brokers, linger_ms=5, max_request_size=900_000)
    await producer.start()
    try:
        waiting = [
            await producer.send(settings.topic(topic), key=key, value=value) for key, value in keyed(topic, lines, raw)
        ]
        await asyncio.gather(*waiting)
    finally:
        await producer.stop()
    return len(waiting)
