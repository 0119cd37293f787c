"""Raw records to typed ones, a batch at a time; what cannot be typed becomes a dead letter with its reason.

    decode_events(records, origin, ...)  -> [Typed[UserEvent] | Watermark | DeadLetter, ...]
    decode_catalog(records, origin)      -> the same with AnalysedArticle
    decode_preferences(records, ...)     -> the same with Patch
    decode_articles(records, origin)     -> the same with ArticleEvent
    decode_control(records, origin)      -> the same with Command

One item a record, in the records' order. Never raises for what is in a record. `detail` of a dead letter names the
field, never its content. Events come by the thousand, and nearly always all of a batch are good: that is found out with
few operations a batch. A batch with anything in doubt is halved until what is in doubt is looked at record by record.
"""

from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

import msgspec
import numpy as np

from .article import AnalysedArticle, ArticleEvent
from .article_parsing import IsLink, Known, article_of
from .control import Command
from .control_parsing import command_of
from .erasure import Erasure, erasure_of
from .event import CONSENTS, NEEDS_NO_ARTICLE, UserEvent
from .event_parsing import IsZone, cleaned, event_of, too_large
from .field_parsing import Note, sentence
from .framing import UNDECODABLE
from .limits import MAX_EVENT_AHEAD_MS, MAX_RECORD_BYTES
from .preference_parsing import patch_of
from .preferences import Patch
from .records import (
    APPENDED_HEADER,
    DeadLetter,
    Record,
    RejectedError,
    RejectReason,
    UnreadableBatch,
    first_appended_ms,
    watermark_of,
)

T = TypeVar("T")
ONE_BY_ONE = 8  # records in doubt

_event = msgspec.json.Decoder(UserEvent).decode
_analysed = msgspec.json.Decoder(AnalysedArticle).decode


class Typed(NamedTuple, Generic[T]):
    """A record that became a typed value, with where and when it stands in its topic."""

    offset: int
    appended_ms: int
    value: T
    notes: Sequence[Note] = ()  # fields that were dropped, or are of another form than the schema says


class Watermark(NamedTuple):
    """A record that says: nothing older than `at_ms` follows in this partition."""

    offset: int
    at_ms: int


Item = Typed[T] | Watermark | DeadLetter


class Origin(NamedTuple):
    """Where records came from, for dead letters."""

    topic: str
    partition: int


def knows_none(_: str) -> bool:
    """No article is known by any name: for who decodes without a catalog."""
    return False


def decode_events(
    records: Sequence[Record],
    origin: Origin,
    is_zone: IsZone = bool,
    reference_ms: int | None = None,
) -> list[Item[UserEvent]]:
    """User events. `is_zone` knows the IANA zones; without it any zone will do.

    Times are checked against the record's append time; a replay has none, only the last watermark, `reference_ms`.
    """
    good = _all_good(records, is_zone, reference_ms is not None)
    if good is not None:
        return good
    if len(records) <= ONE_BY_ONE:
        return _decode(records, origin, lambda record: event_of(record, is_zone, reference_ms))
    middle = len(records) // 2
    halves = records[:middle], records[middle:]
    return [item for half in halves for item in decode_events(half, origin, is_zone, reference_ms)]


def _all_good(records: Sequence[Record], is_zone: IsZone, replay: bool) -> list[Item[UserEvent]] | None:
    """All events of a batch in which nothing is wrong; None where anything might be."""
    raw = [record.value or b"" for record in records]
    if any(watermark_of(record) is not None for record in records if record.headers):
        return None
    if max(map(len, raw), default=0) > MAX_RECORD_BYTES:
        return None
    try:
        values = [_event(value) for value in raw]
    except UNDECODABLE:
        return None
    first_ms = [first_appended_ms(record) for record in records]
    if not _clean(raw, values) or not (replay or _in_time(values, first_ms)) or any(map(_lacks_article, values)):
        return None
    if not all(map(is_zone, {value.tz for value in values} - {""})):
        return None
    appended_ms = [record.timestamp for record in records]
    return list(map(Typed, [record.offset for record in records], appended_ms, values))


def _clean(raw: Sequence[bytes], values: Sequence[UserEvent]) -> bool:
    """No text is spelt but in the one way it is kept: nearly always it is printable ASCII without blanks."""
    together = b"".join(raw)
    if together.isascii() and b"\\" not in together and b"\x7f" not in together:
        if b" " not in together:
            return True
        if " " not in "".join([value.user_id + value.article_id + value.push_id + value.query for value in values]):
            return True
    return all(map(_is_clean, raw, values))


def _is_clean(raw: bytes, value: UserEvent) -> bool:
    ids = value.user_id + value.article_id + value.push_id
    if raw.isascii() and b"\\" not in raw and b"\x7f" not in raw and " " not in ids and not value.query:
        return True
    try:
        return cleaned(value) == value
    except ValueError:
        return False


def _in_time(values: Sequence[UserEvent], appended_ms: Sequence[int]) -> bool:
    ahead_ms = np.array([value.at_ms for value in values], np.int64) - np.array(appended_ms, np.int64)
    ahead = np.flatnonzero(ahead_ms > 0).tolist()
    return not len(ahead) or (
        int(ahead_ms.max()) <= MAX_EVENT_AHEAD_MS and not any(values[i].action in CONSENTS for i in ahead)
    )


def _lacks_article(event: UserEvent) -> bool:
    return not event.article_id and event.action not in NEEDS_NO_ARTICLE


def decode_articles(
    records: Sequence[Record], origin: Origin, replay: bool = False, known: Known = knows_none, is_link: IsLink = bool
) -> list[Item[ArticleEvent]]:
    """Articles as published, and withdrawals, which may be tombstones (contracts/article_parsing.py).

    `known` tells whether there is an article of this id, for keys that can be read in two ways; `is_link` whether a
    link is of an allowed scheme, without it any is.
    """
    return _decode(records, origin, lambda record: article_of(record, replay, known, is_link))


def decode_catalog(records: Sequence[Record], origin: Origin) -> list[Item[AnalysedArticle]]:
    """Analysed articles, written by the content agent."""
    return _decode(records, origin, _analysed_of)


def decode_preferences(
    records: Sequence[Record], origin: Origin, is_zone: IsZone = bool, reference_ms: int | None = None
) -> list[Item[Patch]]:
    """Patches of preferences, and tombstones; the arguments are those of `decode_events`."""
    return _decode(records, origin, lambda record: patch_of(record, is_zone, reference_ms))


def decode_erasures(records: Sequence[Record], origin: Origin, reference_ms: int | None = None) -> list[Item[Erasure]]:
    """Requests to forget a reader."""
    return _decode(records, origin, lambda record: erasure_of(record, reference_ms))


def _analysed_of(record: Record) -> tuple[AnalysedArticle, Sequence[Note]]:
    if not record.value:
        raise RejectedError("empty_value", "")
    if len(record.value) > MAX_RECORD_BYTES:
        raise too_large()
    return _analysed(record.value), ()


def decode_control(records: Sequence[Record], origin: Origin, reference_ms: int | None = None) -> list[Item[Command]]:
    """Commands of editors and operators; `reference_ms` is the last watermark of a replay, None live."""
    return _decode(records, origin, lambda record: command_of(record, reference_ms))


def _decode(
    records: Sequence[Record], origin: Origin, read: Callable[[Record], tuple[T, Sequence[Note]]]
) -> list[Item[T]]:
    items: list[Item[T]] = []
    for record in records:
        if isinstance(record.value, UnreadableBatch):
            said = record.value.said
            items.append(DeadLetter(*origin, record.offset, "unreadable_batch", said, None, None))
            continue
        try:
            if record.headers and (at_ms := watermark_of(record)) is not None:
                items.append(Watermark(record.offset, at_ms))
            else:
                value, notes = read(record)
                items.append(Typed(record.offset, record.timestamp, value, tuple(notes)))
        except RejectedError as error:
            items.append(dead_letter(record, origin, error.reason, error.detail))
        except msgspec.ValidationError as error:
            items.append(dead_letter(record, origin, "invalid", sentence(error)))
        except UNDECODABLE:
            items.append(dead_letter(record, origin, "undecodable", ""))
    return items


def dead_letter(record: Record, origin: Origin, reason: RejectReason, detail: str) -> DeadLetter:
    """The dead letter of a record: all it held, where it lay, when it was first appended, and why it was set aside."""
    trail = [(name, value) for name, value in record.headers if name != APPENDED_HEADER]
    trail.append((APPENDED_HEADER, str(first_appended_ms(record)).encode()))
    return DeadLetter(origin.topic, origin.partition, record.offset, reason, detail, record.key, record.value, trail)
