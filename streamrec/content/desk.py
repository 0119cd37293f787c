"""The content desk: raw article records in, catalog records out. Pure but for its memory of recent articles.

The content agent runs it in the worker, replay without a broker runs it directly; both give the same bytes. What it
remembers (stories, and the newest version of each article) stands in `catalog`: `recall` reads it back after a restart.

A version older than one already written is not written: `catalog` is compacted, and the last record of an article is
all a new owner of a partition may find. A tombstone has no version of its own; it withdraws whatever is newest.
"""

from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from ..contracts.article import AnalysedArticle, ArticleEvent, Outcome
from ..contracts.decode import Origin, Typed, Watermark, dead_letter, decode_articles
from ..contracts.records import DeadLetter, Record, watermark_headers
from ..settings import Settings
from .analyse import Reject, analyse
from .encoder import Encoder, Text
from .story import RecentStories

WATERMARK_KEY = b"\xffwatermark"  # `catalog` is compacted, so every record needs a key; no id can be this one


class CatalogRecord(NamedTuple):
    """One record for every partition of `catalog`."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class Analysed(NamedTuple):
    """What came of a batch."""

    catalog: list[CatalogRecord]
    dead_letters: list[DeadLetter]
    outcomes: list[Outcome]


class Desk:
    """Analyses each article version once."""

    def __init__(self, settings: Settings, encoder: Encoder) -> None:
        self._encoder = encoder
        self._stories = RecentStories()
        self._versions: OrderedDict[str, int] = OrderedDict()  # article id -> newest version written
        self._remembered = settings.max_articles
        self._eligible_h = settings.eligible_h
        self._replay = settings.policy_time == "event"
        self._origin = Origin(settings.topic("articles"), 0)

    def prepare(self) -> None:
        """Let the encoder read its weights now, which may take seconds; any thread, before the first article."""
        self._encoder.encode([Text("ready")])

    def analyse(self, records: Sequence[Record]) -> Analysed:
        """Records of `articles` in order; watermarks are passed on."""
        done = Analysed([], [], [])
        by_offset = {record.offset: record for record in records}
        for item in decode_articles(records, self._origin, self._replay):
            if isinstance(item, DeadLetter):
                done.dead_letters.append(item)
            elif isinstance(item, Watermark):
                done.catalog.append(CatalogRecord(WATERMARK_KEY, b"", watermark_headers(item.at_ms)))
            else:
                self._one(item, by_offset[item.offset], done)
        return done

    def recall(self, articles: Iterable[AnalysedArticle]) -> None:
        """Remember articles written before, in the order of `catalog`."""
        for article in articles:
            self._note(article.article_id, article.version)
            if article.status != "withdrawn":
                self._stories.remember(article.article_id, article.story_id, article.title, article.published_at_ms)

    def _one(self, item: Typed[ArticleEvent], record: Record, done: Analysed) -> None:
        article = item.value
        newest = self._versions.get(article.article_id, 0)
        if record.value is None:
            article = msgspec.structs.replace(article, version=newest)
        if article.version < newest:
            done.outcomes.append("stale")
            return
        known_at_ms = max(article.published_at_ms, article.updated_at_ms) if self._replay else item.appended_ms
        analysed = analyse(article, self._encoder, self._stories, self._eligible_h, known_at_ms)
        if isinstance(analysed, Reject):
            done.dead_letters.append(dead_letter(record, self._origin, analysed.reason, analysed.detail))
            return
        self._note(article.article_id, article.version)
        done.catalog.append(CatalogRecord(article.article_id.encode(), msgspec.json.encode(analysed)))
        done.outcomes.append(article.status)

    def _note(self, article_id: str, version: int) -> None:
        self._versions[article_id] = version
        self._versions.move_to_end(article_id)
        if len(self._versions) > self._remembered:
            self._versions.popitem(last=False)
