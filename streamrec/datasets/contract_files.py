"""A folder in our own contract as a log: articles.jsonl and events.jsonl, or .csv or .parquet, packed or not.

Its records go through the decoder of the topics, as in a replay: their own times count, and there is no append time.
An article is stepped when it was updated or published, an event when it happened. Impressions that are events stay
events; training makes of them what was shown (impressions.py).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec

from ..contracts.article import ArticleEvent
from ..contracts.decode import Item, Origin, T, Typed, Watermark, decode_articles, decode_events
from ..contracts.event import UserEvent
from ..contracts.limits import EARLIEST_MS
from ..contracts.records import RawRecord
from ..engine.profiles.zones import is_zone
from ..errors import DataError
from .contract_file_rows import FileTopic, file_of, raw_records
from .parts import once
from .records import Impression, Step, StepLog
from .tally import Part, Tally

BATCH = 1000


def load_files(*folders: Path) -> StepLog:
    """The log in these folders. Raises DataError."""
    tally, encode = Tally(), msgspec.json.Encoder().encode
    of_articles, of_events = tally.of("articles"), tally.of("events")
    paths = [(file_of(folder, "articles"), file_of(folder, "events")) for folder in folders]
    article_parts = (articles_of(raw_records(path, "articles", of_articles), of_articles) for path, _ in paths)
    event_parts = (events_of(raw_records(path, "events", of_events), of_events) for _, path in paths)
    articles, events = list(once(article_parts, encode, of_articles)), list(once(event_parts, encode, of_events))
    if not articles or not events:
        came = "; ".join(tally.said()) or "none"
        where = ", ".join(map(str, folders))
        raise DataError(f"{where}: expected articles and events, got {len(articles)} and {len(events)}: {came}")
    name_articles(tally, events, (article.article_id for article in articles))
    return StepLog.of("files", [*_stepped(articles), *(Step(event.at_ms, event) for event in events)], tally)


def write_files(folder: Path, steps: Iterable[Step]) -> Counter[FileTopic]:
    """Articles and events as JSON lines in `folder`, which `load_files` reads; how many. DataError if any are there."""
    written = Counter[FileTopic]()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "articles.jsonl").open("xb") as articles, (folder / "events.jsonl").open("xb") as events:
            for step in steps:
                if not isinstance(step.record, Impression):  # those are events, too
                    topic: FileTopic = "articles" if isinstance(step.record, ArticleEvent) else "events"
                    written[topic] += 1
                    (articles if topic == "articles" else events).write(msgspec.json.encode(step.record) + b"\n")
    except OSError as error:
        raise DataError(
            f"{error.filename or folder} cannot be written ({error.strerror}); choose another folder"
        ) from None
    return written


def articles_of(records: Iterator[RawRecord], part: Part) -> Iterator[ArticleEvent]:
    """The articles among the records that a worker would take; the others are counted in `part`."""
    while batch := list(islice(records, BATCH)):
        for item in typed(decode_articles(batch, Origin("articles", 0), replay=True), part, lines=True):
            yield item.value


def events_of(records: Iterator[RawRecord], part: Part) -> Iterator[UserEvent]:
    """The events among the records that a worker would take; the others are counted in `part`."""
    while batch := list(islice(records, BATCH)):
        for item in typed(decode_events(batch, Origin("events", 0), is_zone, 0), part, lines=True):
            yield item.value


def typed(items: Sequence[Item[T]], part: Part, *, lines: bool = False) -> Iterator[Typed[T]]:
    """Those that are records; the others are counted by reason and field. With `lines` an offset is a line's number."""
    for item in items:
        if isinstance(item, Watermark):
            continue
        part.rows += 1
        if isinstance(item, Typed):
            yield item
        else:
            part.reject(f"{item.reason}, {item.detail}" if item.detail else item.reason, item.offset if lines else 0)


def name_articles(tally: Tally, events: Iterable[UserEvent], article_ids: Iterable[str]) -> None:
    """Count the articles that impressions and all other events name."""
    shown, read = Counter[str](), Counter[str]()
    for event in events:
        if event.article_id:
            (shown if event.action == "impression" else read)[event.article_id] += 1
    held = dict.fromkeys(article_ids)
    tally.names("impressions", shown, held)
    tally.names("reads", read, held)


def _stepped(articles: Sequence[ArticleEvent]) -> Iterator[Step]:
    at_ms = EARLIEST_MS
    for article in articles:
        own_ms = article.updated_at_ms or article.published_at_ms
        at_ms = own_ms if own_ms >= EARLIEST_MS else at_ms  # a withdrawal need not say when
        yield Step(at_ms, article)
