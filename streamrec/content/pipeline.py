"""The content pipeline: raw article records in, catalog records out. Pure but for its memory of recent articles.

The content agent runs it in the worker, replay without a broker runs it directly; both give the same bytes. What it
remembers (stories, the newest version of each article, the slots of categories) stands in `catalog`: `recall` reads it
back after a restart. The table of slots is written before the first article that uses a new one.

All that can fail comes before the pipeline remembers anything of an article, so a record on which analysis raises
leaves no trace and can be set aside alone.

A version older than one already written is not written: `catalog` is compacted, and the last record of an article is
all a new owner of a partition may find. A withdrawal takes back whatever is newest, whichever version it names; of
category, source and language it need not speak: readers' events on the article go on to mean what they meant.
"""

import logging
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from ..contracts.article import AnalysedArticle, ArticleEvent, Outcome
from ..contracts.decode import Origin, Typed, Watermark, dead_letter, decode_articles, decode_catalog
from ..contracts.field_parsing import Note
from ..contracts.ids import CATEGORIES, SHARED_CATEGORY
from ..contracts.records import DeadLetter, Record, watermark_headers
from ..errors import SettingsError
from ..settings import Settings
from .analyse import analyse
from .audience import resolved
from .category_slots import SLOTS_KEY, Categories, CategorySlots, slots_in
from .encoder import Encoder, Text
from .story import RecentStories

logger = logging.getLogger(__name__)

_ANOTHER_SITE = ("/", "\\")  # behind a first slash; browsers take both for one
WATERMARK_KEY = b"\xffwatermark"  # `catalog` is compacted, so every record needs a key; no id can be this one


class CatalogRecord(NamedTuple):
    """A key, value and headers to be written to every partition of `catalog`."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class Analysed(NamedTuple):
    """What became of a batch of raw article records: what is to be written, and what is to be counted."""

    catalog: list[CatalogRecord]
    dead_letters: list[DeadLetter]
    outcomes: list[Outcome]
    notes: list[Note]  # fields that were not taken as they came


class Known(NamedTuple):
    """What the pipeline remembers of an article, for later versions and withdrawals of it."""

    version: int = 0  # the newest written
    first_ms: int = 0  # when the first version became known
    category: str = ""
    source: str = ""
    language: str = ""

    def still(self, taken_back: AnalysedArticle, said: ArticleEvent) -> dict[str, str]:
        """What a withdrawal says of category, source and language, or else what is remembered of the article."""
        return {
            "category": (not said.category and self.category) or taken_back.category,
            "source": said.source or self.source,
            "language": (not said.language and self.language) or taken_back.language,
        }


class ContentPipeline:
    """Turns raw article records into catalog records, and analyses each article version once."""

    def __init__(self, settings: Settings, encoder: Encoder) -> None:
        self._encoder = encoder
        self.categories = Categories(settings.category_map)
        self._told = False
        self._stories = RecentStories()
        self._known: OrderedDict[str, Known] = OrderedDict()  # by article id
        self._scheduled: dict[str, AnalysedArticle] = {}  # those that were to open later when they became known
        self._remembered = settings.max_articles
        self._eligible_h = settings.eligible_h
        self._schemes = frozenset(settings.deep_link_schemes.split(","))
        self._replay = settings.policy_time == "event"
        self._origin, self._catalog = Origin(settings.topic("articles"), 0), Origin(settings.topic("catalog"), 0)

    def prepare(self) -> None:
        """Let the encoder read its weights now, which may take seconds; any thread, before the first article."""
        self._encoder.encode([Text("ready")])

    def analyse(self, records: Sequence[Record], set_aside: bool = False) -> Analysed:
        """Records of `articles` in order; watermarks are passed on.

        `set_aside`: a record on which this raises becomes a dead letter. A setting at fault is no record's fault.
        """
        done = Analysed([], [], [], [])
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
        """As a new pipeline: what was analysed and perhaps never written is not remembered."""
        self.categories.slots = CategorySlots()
        self._stories, self._known, self._scheduled = RecentStories(), OrderedDict(), {}

    def recall(self, records: Sequence[Record]) -> None:
        """Remember what was written before: records of `catalog` in order.

        A catalog without a table, by a release that did not hand out slots, goes on with those its profiles know.
        """
        for record, item in zip(records, decode_catalog(records, self._catalog), strict=True):
            if (slots := slots_in(record)) is not None:
                self.categories.slots = slots
            elif isinstance(item, Typed):
                if not self.categories.slots and item.value.category_slot != SHARED_CATEGORY:
                    self.categories.slots = CategorySlots(CATEGORIES)
                self._remember(item.value)

    def slots_record(self) -> CatalogRecord:
        """The catalog record that remembers which category has which slot."""
        return CatalogRecord(SLOTS_KEY, b"", self.categories.slots.headers())

    def renewed(self, now_ms: int) -> list[CatalogRecord]:
        """What must not be forgotten. Retention takes any record some day, so these have to be written again in time:
        the table of slots, and articles whose embargo or publication time is still to come.
        """
        self._scheduled = {key: article for key, article in self._scheduled.items() if article.opens_at_ms > now_ms}
        slots = [self.slots_record()] if self.categories.slots else []
        return [*slots, *map(_record, self._scheduled.values())]

    def _is_link(self, text: str) -> bool:
        """A path of the newsroom's own site, or a URL of a scheme somebody has decided for."""
        scheme, colon, _ = text.partition(":")
        return (
            scheme.lower() in self._schemes
            if colon and "/" not in scheme
            else text[:1] == "/" and text[1:2] not in _ANOTHER_SITE
        )

    def draft(self, record: Record) -> AnalysedArticle | DeadLetter | None:
        """What a record of `articles` would become if it came now, None if it is older than what there is.

        Nothing is remembered of it, so its story and its category's slot are those the next article would get.
        """
        (item,) = decode_articles([record], self._origin, self._replay, self._known.__contains__, self._is_link)
        return self._analysed(item) if isinstance(item, Typed) else item if isinstance(item, DeadLetter) else None

    def _one(self, record: Record, done: Analysed) -> None:
        (item,) = decode_articles([record], self._origin, self._replay, self._known.__contains__, self._is_link)
        if isinstance(item, DeadLetter):
            done.dead_letters.append(item)
        elif isinstance(item, Watermark):
            done.catalog.append(CatalogRecord(WATERMARK_KEY, b"", watermark_headers(item.at_ms)))
        else:
            self._article(item, done)

    def _article(self, item: Typed[ArticleEvent], done: Analysed) -> None:
        analysed = self._analysed(item)
        if analysed is None:
            done.outcomes.append("stale")
            return
        done.notes.extend([*item.notes, *resolved(item.value.audience, self.categories).notes])
        self._remember(analysed)
        if self.categories.slots.hand_out(analysed.category):
            done.catalog.append(self.slots_record())
        elif analysed.category and analysed.category_slot == SHARED_CATEGORY:
            self._tell_that_slots_are_taken()
        done.catalog.append(_record(analysed))
        done.outcomes.append(analysed.status)

    def _analysed(self, item: Typed[ArticleEvent]) -> AnalysedArticle | None:
        """This version as it would be written, None if a newer one was; nothing is remembered."""
        article = item.value
        before = self._known.get(article.article_id, Known())
        if article.status == "withdrawn":
            article = msgspec.structs.replace(article, version=max(before.version, article.version))
        if article.version < before.version:
            return None
        known_at_ms = max(article.published_at_ms, article.updated_at_ms) if self._replay else item.appended_ms
        analysed = analyse(article, self._encoder, self._stories, self.categories, self._eligible_h, known_at_ms)
        analysed = msgspec.structs.replace(analysed, first_known_at_ms=before.first_ms or known_at_ms)
        if article.status == "withdrawn":
            still = before.still(analysed, article)
            slot = self.categories.slots.slot_of(still["category"])
            analysed = msgspec.structs.replace(analysed, **still, category_slot=slot)
        return analysed

    def _tell_that_slots_are_taken(self) -> None:
        if not self._told:
            self._told = True
            logger.warning(
                "articles have more than %d categories; those that came last share a slot and are no reason for a"
                " cooldown: group or rename sections with STREAMREC_CATEGORY_MAP",
                SHARED_CATEGORY,
            )

    def _remember(self, article: AnalysedArticle) -> None:
        if article.status != "withdrawn":
            self._stories.remember(article.article_id, article.story_id, article.title, article.published_at_ms)
        self._known[article.article_id] = Known(
            article.version, article.first_known_at_ms or article.known_at_ms,
            article.category, article.source, article.language,
        )  # fmt: skip
        self._known.move_to_end(article.article_id)
        if len(self._known) > self._remembered:
            self._known.popitem(last=False)
        self._scheduled.pop(article.article_id, None)
        if article.status != "withdrawn" and article.opens_at_ms > article.known_at_ms:
            self._scheduled[article.article_id] = article


def _record(article: AnalysedArticle) -> CatalogRecord:
    return CatalogRecord(article.article_id.encode(), msgspec.json.encode(article))
