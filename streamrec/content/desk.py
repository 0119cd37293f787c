"""The content desk: raw article records in, catalog records out. Pure but for its memory of recent articles.

The content agent runs it in the worker, replay without a broker runs it directly; both give the same bytes. What it
remembers (stories, and the newest version of each article) stands in `catalog`: `recall` reads it back after a restart.

All that can fail comes before the desk remembers anything of an article, so a record on which analysis raises leaves
no trace and can be set aside alone.

A version older than one already written is not written: `catalog` is compacted, and the last record of an article is
all a new owner of a partition may find. A tombstone has no version of its own; it withdraws whatever is newest.
"""

import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from ..contracts.article import AnalysedArticle, ArticleEvent, Outcome
from ..contracts.decode import Origin, Typed, Watermark, dead_letter, decode_articles
from ..contracts.records import DeadLetter, Record, watermark_headers
from ..errors import SettingsError
from ..settings import Settings
from .analyse import Reject, analyse
from .encoder import Encoder, Text
from .story import RecentStories

logger = logging.getLogger(__name__)

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

    def analyse(self, records: Sequence[Record], set_aside: bool = False) -> Analysed:
        """Records of `articles` in order; watermarks are passed on.

        `set_aside`: a record on which this raises becomes a dead letter. A setting at fault is no record's fault.
        """
        done = Analysed([], [], [])
        for record in records:
            try:
                self._one(record, done)
            except SettingsError:
                raise
            except Exception:
                if not set_aside:
                    raise
                logger.exception("analysis failed", extra={"offset": record.offset})
                done.dead_letters.append(dead_letter(record, self._origin, "processing_error", ""))
        return done

    def forget(self) -> None:
        """As a new desk: what was analysed and perhaps never written is not remembered."""
        self._stories, self._versions = RecentStories(), OrderedDict()

    def recall(self, articles: Iterable[AnalysedArticle]) -> None:
        """Remember articles written before, in the order of `catalog`."""
        for article in articles:
            self._remember(article)

    def _one(self, record: Record, done: Analysed) -> None:
        (item,) = decode_articles([record], self._origin, self._replay)
        if isinstance(item, DeadLetter):
            done.dead_letters.append(item)
        elif isinstance(item, Watermark):
            done.catalog.append(CatalogRecord(WATERMARK_KEY, b"", watermark_headers(item.at_ms)))
        else:
            self._article(item, record, done)

    def _article(self, item: Typed[ArticleEvent], record: Record, done: Analysed) -> None:
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
        written = CatalogRecord(article.article_id.encode(), msgspec.json.encode(analysed))
        self._remember(analysed)
        done.catalog.append(written)
        done.outcomes.append(article.status)

    def _remember(self, article: AnalysedArticle) -> None:
        if article.status != "withdrawn":
            self._stories.remember(article.article_id, article.story_id, article.title, article.published_at_ms)
        self._note(article.article_id, article.version)

    def _note(self, article_id: str, version: int) -> None:
        self._versions[article_id] = version
        self._versions.move_to_end(article_id)
        if len(self._versions) > self._remembered:
            self._versions.popitem(last=False)
