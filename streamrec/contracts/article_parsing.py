"""An article as its schema says, or nearly: each field that can be read counts, and a withdrawal needs only an id.

    article_of(record, replay, known, is_link) -> (ArticleEvent, notes), or RejectedError

A withdrawal is never rejected: whatever else is wrong, or missing, the article is taken back. A tombstone, an empty
value and `null` take back the article the key names; `known` tells whether there is one of a name, for keys that may
be an id as they stand or the frame of one. A key of no certain form is a dead letter of its own kind, since its article
lives on.

An embargo or a status that cannot be read is no small matter: without it the article would go out too early.
"""

from collections.abc import Callable

import msgspec

from .article import ArticleEvent
from .event_parsing import check_fault, object_in, too_large
from .field_parsing import Fields, Note
from .framing import UnreadableError, ids_in, json_in, unframed
from .limits import MAX_RECORD_BYTES, MAX_SCHEDULED_MS
from .records import Record, RejectedError

_FIELDS = Fields(ArticleEvent)
NO_TITLE = "(withdrawn)"
Known = Callable[[str], bool]
IsLink = Callable[[str], bool]


def article_of(record: Record, replay: bool, known: Known, is_link: IsLink) -> tuple[ArticleEvent, list[Note]]:
    """The version or withdrawal in a record, with what was not taken as it came; a replay has no append times."""
    if _is_tombstone(record):
        return ArticleEvent(_named(record.key, known), NO_TITLE, record.timestamp, status="withdrawn"), []
    parsed = _FIELDS.read(object_in(record))
    values = parsed.values
    if values.get("status") == "withdrawn":
        parsed.forgive()
        values["article_id"] = values.get("article_id") or _named(record.key, known)
        values["title"] = values.get("title") or NO_TITLE
        values.setdefault("published_at_ms", record.timestamp)
    elif len(record.value or b"") > MAX_RECORD_BYTES:
        raise too_large()
    elif not _is_utf8(record.value or b""):
        raise RejectedError("undecodable", "")  # a headline with holes is not pushed
    for field in ("article_id", "title", "published_at_ms", *parsed.faults):
        check_fault(parsed, field)
    if values.get("deep_link") and not is_link(values["deep_link"]):
        del values["deep_link"]
        parsed.notes.append(Note("deep_link", "a scheme the deployment does not allow"))
    article = msgspec.convert(values, ArticleEvent)
    if article.status != "withdrawn" and not replay and article.published_at_ms > record.timestamp + MAX_SCHEDULED_MS:
        raise RejectedError("in_future", "published_at_ms: more than a year ahead")
    return article, parsed.notes


def _is_utf8(raw: bytes) -> bool:
    try:
        unframed(raw).decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_tombstone(record: Record) -> bool:
    if not record.value:
        return record.key is not None or record.value is None
    if len(record.value) > MAX_RECORD_BYTES:
        return False
    try:
        return json_in(record.value) is None
    except UnreadableError:
        return False


def _named(key: bytes | None, known: Known) -> str:
    name = ""
    try:
        for name in ids_in(key or b"", "article_id"):
            if known(name):
                break
    except UnreadableError as error:
        raise RejectedError("unreadable_key", f"{error}; its article is not withdrawn") from None
    return name
