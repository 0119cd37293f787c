"""Raw records to typed ones, a batch at a time; what cannot be typed becomes a dead letter with its reason.

    decode_events(records, origin, ...)  -> [Typed[UserEvent] | Watermark | DeadLetter, ...]
    decode_catalog(records, origin)      -> the same with AnalysedArticle
    decode_articles(records, origin)     -> the same with ArticleEvent

One item a record, in the records' order. Never raises for what is in a record. `detail` of a dead letter names the
field, never its content. Events come by the thousand, and nearly always all of a batch are good: that is found out with
few operations a batch, and only a batch with anything in doubt is looked at record by record.
"""

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec
import numpy as np

from .article import AnalysedArticle, ArticleEvent
from .event import NEEDS_NO_ARTICLE, UserEvent
from .limits import MAX_EVENT_AGE_MS, MAX_EVENT_AHEAD_MS, MAX_RECORD_BYTES, MAX_SCHEDULED_MS
from .records import DeadLetter, Record, RejectReason, watermark_of

T = TypeVar("T")

_event = msgspec.json.Decoder(UserEvent).decode
_article = msgspec.json.Decoder(ArticleEvent).decode
_analysed = msgspec.json.Decoder(AnalysedArticle).decode

# all that decoding JSON raises: beyond a thousand levels, in a field nobody asked for too, it is Python's own limit
UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Typed(NamedTuple, Generic[T]):
    """A record that made sense."""

    offset: int
    appended_ms: int
    value: T


class Watermark(NamedTuple):
    """Nothing older than `at_ms` follows in this partition."""

    offset: int
    at_ms: int


Item = Typed[T] | Watermark | DeadLetter


class Origin(NamedTuple):
    """Where records came from, for dead letters."""

    topic: str
    partition: int


class _RejectedError(Exception):
    def __init__(self, reason: RejectReason, detail: str) -> None:
        self.reason: RejectReason = reason
        self.detail = detail


def decode_events(
    records: Sequence[Record],
    origin: Origin,
    is_zone: Callable[[str], bool] = bool,
    reference_ms: int | None = None,
) -> list[Item[UserEvent]]:
    """User events. `is_zone` knows the IANA zones.

    Times are checked against the record's append time; in a replay against the last watermark, `reference_ms`, which
    says what is too old, but not what is too early.
    """
    good = _all_good(records, is_zone) if reference_ms is None else None
    return _decode(records, origin, _checked_event(is_zone, reference_ms)) if good is None else good


def _checked_event(is_zone: Callable[[str], bool], reference_ms: int | None) -> Callable[[Record], UserEvent]:
    def event(record: Record) -> UserEvent:
        value = _event(_value(record))
        if _lacks_article(value):
            raise _RejectedError("invalid", f"article_id: required for {value.action}")
        check_age(value.at_ms, record.timestamp if reference_ms is None else reference_ms)
        if reference_ms is None:
            check_ahead(value.at_ms, record.timestamp)
        if value.tz and not is_zone(value.tz):
            raise _RejectedError("invalid", "tz: not in the IANA zone database")
        return value

    return event


def _lacks_article(event: UserEvent) -> bool:
    return not event.article_id and event.action not in NEEDS_NO_ARTICLE


def _all_good(records: Sequence[Record], is_zone: Callable[[str], bool]) -> list[Item[UserEvent]] | None:
    """All events of a live batch in which nothing is wrong; None where anything might be."""
    raw = [record.value or b"" for record in records]
    if any(watermark_of(record) is not None for record in records if record.headers):
        return None
    if max(map(len, raw), default=0) > MAX_RECORD_BYTES:
        return None
    try:
        values = [_event(value) for value in raw]
    except UNDECODABLE:
        return None
    appended_ms = [record.timestamp for record in records]
    ahead_ms = np.array([value.at_ms for value in values], np.int64) - np.array(appended_ms, np.int64)
    in_time = (ahead_ms >= -MAX_EVENT_AGE_MS) & (ahead_ms <= MAX_EVENT_AHEAD_MS)
    if not in_time.all() or any(map(_lacks_article, values)):
        return None
    if not all(map(is_zone, {value.tz for value in values} - {""})):
        return None
    return list(map(Typed, [record.offset for record in records], appended_ms, values))


def decode_articles(records: Sequence[Record], origin: Origin, replay: bool = False) -> list[Item[ArticleEvent]]:
    """Articles as published. A tombstone withdraws the article its key names. A replay has no append times."""

    def article(record: Record) -> ArticleEvent:
        if record.value is None and record.key:
            return _withdrawal(record.key, record.timestamp)
        value = _article(_value(record))
        if not value.title:
            raise _RejectedError("invalid", "title: expected 1 to 500 characters")
        if not replay and value.published_at_ms > record.timestamp + MAX_SCHEDULED_MS:
            raise _RejectedError("in_future", "published_at_ms: more than a year ahead")
        return value

    return _decode(records, origin, article)


def decode_catalog(records: Sequence[Record], origin: Origin) -> list[Item[AnalysedArticle]]:
    """Analysed articles, written by the content agent."""
    return _decode(records, origin, lambda record: _analysed(_value(record)))


def check_age(at_ms: int, reference_ms: int) -> None:
    """Refuse what happened too long before it was appended."""
    if at_ms < reference_ms - MAX_EVENT_AGE_MS:
        raise _RejectedError("too_old", "at_ms: more than seven days before the append time")


def check_ahead(at_ms: int, appended_ms: int) -> None:
    """Refuse what happens after it was appended, but for clocks that are a little off."""
    if at_ms > appended_ms + MAX_EVENT_AHEAD_MS:
        raise _RejectedError("in_future", "at_ms: more than five minutes after the append time")


def _decode(records: Sequence[Record], origin: Origin, typed: Callable[[Record], T]) -> list[Item[T]]:
    items: list[Item[T]] = []
    for record in records:
        try:
            if record.headers and (at_ms := watermark_of(record)) is not None:
                items.append(Watermark(record.offset, at_ms))
            else:
                items.append(Typed(record.offset, record.timestamp, typed(record)))
        except _RejectedError as error:
            items.append(dead_letter(record, origin, error.reason, error.detail))
        except msgspec.ValidationError as error:
            items.append(dead_letter(record, origin, "invalid", _field(error)))
        except UNDECODABLE:
            items.append(dead_letter(record, origin, "undecodable", ""))
    return items


def dead_letter(record: Record, origin: Origin, reason: RejectReason, detail: str) -> DeadLetter:
    """This record, set aside."""
    return DeadLetter(
        origin.topic, origin.partition, record.offset, reason, detail, record.key, record.value, record.headers
    )


def _value(record: Record) -> bytes:
    if not record.value:
        raise _RejectedError("empty_value", "")
    if len(record.value) > MAX_RECORD_BYTES:
        raise _RejectedError("too_large", f"value: more than {MAX_RECORD_BYTES} bytes")
    return record.value


def _field(error: msgspec.ValidationError) -> str:
    # msgspec says "Expected `int`, got `str` - at `$.at_ms`": types and limits, never the value, save for enums
    message, _, path = str(error).partition(" - at `$.")
    if message.startswith("Invalid enum value"):
        message = "unknown value"
    return f"{path.rstrip('`')}: {message}" if path else message


def _withdrawal(key: bytes, appended_ms: int) -> ArticleEvent:
    article_id = key.decode()
    if not 0 < len(article_id) <= 128:
        raise _RejectedError("invalid", "key: expected 1 to 128 characters")
    return ArticleEvent(article_id, title="(withdrawn)", published_at_ms=appended_ms, status="withdrawn")
