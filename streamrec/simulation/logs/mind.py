"""MIND (Microsoft News): behaviors.tsv and news.tsv, plain or gzipped; the original format and one with a header.

Format: https://github.com/msnews/msnews.github.io/blob/master/assets/doc/introduction.md
MIND records neither when an article was published nor when a history was read. Known approximations:
* An article is published one minute before it is first shown.
* Histories lie before the log; they are clicks in steps of at most one hour, backwards from the log's first
  impression, over `history_days` at most. The default keeps the five days of MIND-small and their histories within the
  seven days a worker remembers articles.
* Articles of histories are published at the start, already expired: they teach profiles and are never pushed.
* The n-th click of an impression happens n seconds after it. Times are read as UTC.
"""

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from ...contracts.article import ArticleEvent
from ...errors import DataError
from .columns import ColumnLog, Events, columns_of
from .files import existing, tsv_rows
from .index import Index
from .records import Impression

HOUR_MS = 3_600_000
PUBLISHED_BEFORE_MS = 60_000
NEWS_COLUMNS = ("nid", "category", "subcategory", "title", "abstract", "url", "title_entities", "abstract_entities")
UNLABELLED = "behaviors: candidates without labels"
TIME_FORMAT = "%m/%d/%Y %I:%M:%S %p"


class News(NamedTuple):
    """One row of news.tsv."""

    title: str
    abstract: str
    category: str
    language: str
    url: str


class Behavior(NamedTuple):
    """One row of behaviors.tsv."""

    at_ms: int
    user_id: str
    history: tuple[str, ...]  # oldest first
    impression: Impression


def load_mind(
    folder: Path, *, language: Literal["en", "zh"] = "en", history_days: float = 2.0, tz: str = ""
) -> ColumnLog:
    """The log in `folder`; language "zh" takes the Chinese title where the file has one. Raises DataError."""
    rejected: Counter[str] = Counter()
    news = dict(_news(existing(folder, "news.tsv", "news.tsv.gz"), language, rejected))
    path = existing(folder, "behaviors.tsv", "behaviors.tsv.gz")
    behaviors = sorted(_behaviors(path, news, rejected), key=lambda behavior: behavior.at_ms)
    if not behaviors:
        if set(rejected) == {UNLABELLED}:
            raise DataError(
                f"{path}: no candidate says whether it was clicked (N123-1, N456-0), as in the test set of MIND;"
                " expected labels: take the training or the dev set"
            )
        came = "; ".join(f"{count} times {what}" for what, count in rejected.items()) or "none"
        raise DataError(f"{path}: expected rows of impression id, user, time, history, impressions; got {came}")
    users, ids = Index(), Index()
    histories = _history_clicks(behaviors, int(history_days * 24 * HOUR_MS), users, ids)
    start_ms = int(histories.at_ms.min()) if len(histories.at_ms) else behaviors[0].at_ms
    read_before = len(ids)  # `ids` now holds the articles of histories and nothing else
    events = Events.join([histories, *_shown_and_clicked(behaviors, users, ids)])
    shown_ms = _first_shown_ms(behaviors)
    published_ms = [start_ms if n < read_before else shown_ms[name] - PUBLISHED_BEFORE_MS for n, name in enumerate(ids)]
    articles = [
        _article(name, news[name], at_ms, expired=n < read_before)
        for n, (name, at_ms) in enumerate(zip(ids, published_ms, strict=True))
    ]
    return ColumnLog(
        name="mind",
        user_ids=users.names,
        article_ids=ids.names,
        articles=articles,
        article_at_ms=np.array(published_ms, np.int64),
        impressions=[behavior.impression for behavior in behaviors],
        impression_at_ms=np.array([behavior.at_ms for behavior in behaviors], np.int64),
        events=events,
        rejected=rejected,
        tz=tz,
    )


def _news(path: Path, language: str, rejected: Counter[str]) -> Iterator[tuple[str, News]]:
    names: tuple[str, ...] = NEWS_COLUMNS
    count = 0
    for row in tsv_rows(path):
        if row and row[0] == "nid":
            names = tuple(row)
            continue
        field = dict(zip(names, row, strict=False))
        if not (field.get("nid") and field.get("title")):
            rejected["news: no id or title"] += 1
            continue
        count += 1
        chinese = field.get("title_zh_mt", "") if language == "zh" else ""
        yield (
            field["nid"],
            News(
                title=(chinese or field["title"])[:500],
                abstract="" if chinese else field.get("abstract", "")[:5_000],
                category=field["category"][:64],
                language="zh" if chinese else "en",
                url=field.get("url", "")[:2_000],
            ),
        )
    if not count:
        raise DataError(f"{path}: expected rows of {', '.join(NEWS_COLUMNS[:5])}; got {sum(rejected.values())} others")


def _behaviors(path: Path, news: Mapping[str, News], rejected: Counter[str]) -> Iterator[Behavior]:
    for row in tsv_rows(path):
        try:
            _, user, time, history, shown = row
            at_ms = int(datetime.strptime(time, TIME_FORMAT).replace(tzinfo=UTC).timestamp() * 1000)
            pairs = [
                (name, {"0": False, "1": True}[flag]) for name, _, flag in (c.rpartition("-") for c in shown.split())
            ]
        except ValueError:
            rejected["behaviors: not a row of five fields with time"] += 1
            continue
        except KeyError:
            rejected[UNLABELLED] += 1
            continue
        known = [pair for pair in pairs if pair[0] in news]
        rejected["behaviors: candidate not in news"] += len(pairs) - len(known)
        if not (user and known):
            rejected["behaviors: no user or no candidates"] += 1
            continue
        read = tuple(name for name in history.split() if name in news)
        rejected["behaviors: history item not in news"] += len(history.split()) - len(read)
        names, clicked = zip(*known, strict=True)
        yield Behavior(at_ms, user, read, Impression(user, names, clicked))


def _history_clicks(behaviors: list[Behavior], span_ms: int, users: Index, ids: Index) -> Events:
    """Clicks of each user's first history; users are spread over the hour, so not all click at once."""
    rows: list[tuple[int, int, int]] = []
    for behavior in behaviors:
        if behavior.user_id in users:
            continue
        user = users.add(behavior.user_id)
        offset_ms = zlib.crc32(behavior.user_id.encode()) % HOUR_MS
        step_ms = min(HOUR_MS, (span_ms - offset_ms) // max(1, len(behavior.history)))
        last_ms = behaviors[0].at_ms - 1 - offset_ms
        for back, name in enumerate(reversed(behavior.history)):
            rows.append((last_ms - back * step_ms, user, ids.add(name)))
    return Events.of("click", *columns_of(rows))


def _shown_and_clicked(behaviors: list[Behavior], users: Index, ids: Index) -> tuple[Events, Events]:
    shown: list[tuple[int, int, int]] = []
    clicks: list[tuple[int, int, int]] = []
    for behavior in behaviors:
        user, impression = users.add(behavior.user_id), behavior.impression
        candidates = [ids.add(name) for name in impression.candidates]
        shown += [(behavior.at_ms, user, article) for article in candidates]
        hits = [article for article, hit in zip(candidates, impression.clicked, strict=True) if hit]
        clicks += [(behavior.at_ms + 1_000 * nth, user, article) for nth, article in enumerate(hits, 1)]
    return Events.of("impression", *columns_of(shown)), Events.of("click", *columns_of(clicks))


def _first_shown_ms(behaviors: list[Behavior]) -> dict[str, int]:
    first: dict[str, int] = {}
    for behavior in behaviors:
        for name in behavior.impression.candidates:
            first.setdefault(name, behavior.at_ms)
    return first


def _article(name: str, news: News, published_ms: int, *, expired: bool) -> ArticleEvent:
    return ArticleEvent(
        article_id=name,
        title=news.title,
        published_at_ms=published_ms,
        abstract=news.abstract,
        category=news.category,
        language=news.language,
        deep_link=news.url,
        expires_at_ms=published_ms if expired else 0,
    )
