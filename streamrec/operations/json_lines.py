"""JSON lines into a topic: checked as a worker would check them, keyed, sent, and every refusal told by its line."""

import asyncio
from collections.abc import Callable, Iterable, Iterator

from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from ..clock import now_ms
from ..contracts.article import ArticleEvent
from ..contracts.decode import Item, Origin, Typed, decode_articles, decode_events, decode_preferences
from ..contracts.event import UserEvent
from ..contracts.limits import MAX_RECORD_BYTES
from ..contracts.preferences import Patch
from ..contracts.records import RawRecord
from ..engine.profiles.zones import is_zone
from ..kafka.clients import producer
from ..kafka.permissions import Need, permitted
from ..kafka.refusals import denied
from ..kafka.topics import require
from ..settings import Settings

IN_FLIGHT = 1000  # records sent and not yet acknowledged: a file of any size passes through

Line = tuple[int, bytes | None, bytes]  # number, key, value
Reject = Callable[[int, str], None]


def keyed(topic: str, lines: Iterable[bytes], raw: bool, reject: Reject) -> Iterator[Line]:
    """Number, key and value of each line; those that are not records of this topic go to `reject`, unless `raw`."""
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
    origin = Origin(topic, 0)

    def taken(value: bytes) -> tuple[bytes | None, str]:
        record = RawRecord(0, now_ms(), None, value)
        item = _decoded(topic, record, origin)
        if isinstance(item, Typed):
            named = item.value
            return (named.article_id if isinstance(named, ArticleEvent) else named.user_id).encode(), ""
        return None, " ".join(filter(None, (getattr(item, "reason", ""), getattr(item, "detail", ""))))

    return taken


def _decoded(topic: str, record: RawRecord, origin: Origin) -> Item[ArticleEvent] | Item[UserEvent] | Item[Patch]:
    if topic == "articles":
        return decode_articles([record], origin)[0]
    if topic == "preferences":
        return decode_preferences([record], origin, is_zone)[0]
    return decode_events([record], origin, is_zone)[0]


async def send(settings: Settings, topic: str, lines: Iterable[Line], reject: Reject) -> int:
    """Write the lines into a topic; answers how many the broker took, and `reject` hears of the others."""
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
    answers = await asyncio.gather(*(future for _, future in waiting), return_exceptions=True)
    for (number, _), answer in zip(waiting, answers, strict=True):
        if isinstance(answer, MessageSizeTooLargeError):
            reject(number, "it is larger than the topic takes (max.message.bytes)")
        elif isinstance(answer, KafkaError) and denied(answer) is None:  # else it is not about this line
            reject(number, f"the broker refused it: {type(answer).__name__}")
        elif isinstance(answer, BaseException):
            raise answer
    waiting.clear()
    return sum(not isinstance(answer, BaseException) for answer in answers)
