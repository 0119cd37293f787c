"""MIND (Microsoft News): behaviors.tsv and news.tsv, plain or gzipped; the original format and one with a header.

Format: https://github.com/msnews/msnews.github.io/blob/master/assets/doc/introduction.md
MIND records neither when an article was published nor when a history was read. Known approximations:
* An article is published one minute before it is first shown.
* Histories lie before the log; they are clicks in steps of at most one hour, backwards from the log's first
  impression, over HISTORY_MS at most: the five days of MIND-small and their histories then lie within the seven days a
  worker remembers articles.
* Articles of histories are published at the start, already expired: they teach profiles and are never pushed.
* Several folders, such as train and dev, are one log: a reader's history is that of the first impression of all.
* The n-th click of an impression happens n seconds after it. Times are read as UTC, with AM and PM, of 24 hours, or as
  ISO 8601 has them.
A candidate or history item that news.tsv does not hold is left out, and counted as named.
"""

import zlib
from collections.abc import Hashable
from operator import itemgetter
from pathlib import Path

import numpy as np

from ..contracts.article import ArticleEvent
from ..errors import DataError
from .columns import ColumnLog, Events, columns_of
from .files import existing
from .lines import PACKED
from .mind_rows import UNLABELLED, Behavior, News, behavior_rows, news_rows
from .parts import once
from .tally import Tally

HOUR_MS = 3_600_000
HISTORY_MS = 48 * HOUR_MS
PUBLISHED_BEFORE_MS = 60_000

Index = dict[str, int]  # names with dense numbers from 0, in the order of their first use


def load_mind(*folders: Path) -> ColumnLog:
    """The log in these folders, of which none is missing. Raises DataError."""
    tally = Tally()
    of_news = [news_rows(existing(folder, *map("news.tsv".__add__, PACKED)), tally) for folder in folders]
    news = dict(once(of_news, itemgetter(0), tally.of("news")))
    paths = [existing(folder, *map("behaviors.tsv".__add__, PACKED)) for folder in folders]
    found = once(behavior_rows(paths, news, tally), _said, tally.of("behaviors"))
    behaviors = sorted(found, key=lambda behavior: behavior.at_ms)
    if not behaviors:
        raise DataError(f"{paths[0]}: {_why_none(tally)}")
    users, ids = Index(), Index()
    histories = _history_clicks(behaviors, users, ids)
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
        user_ids=list(users),
        article_ids=list(ids),
        articles=articles,
        article_at_ms=np.array(published_ms, np.int64),
        impressions=[behavior.impression for behavior in behaviors],
        impression_at_ms=np.array([behavior.at_ms for behavior in behaviors], np.int64),
        events=events,
        tally=tally,
    )


def _said(behavior: Behavior) -> Hashable:
    """What is one impression: a split may number them anew, and say more of the history."""
    return behavior.at_ms, behavior.user_id, behavior.impression


def _why_none(tally: Tally) -> str:
    if set(tally.of("behaviors").reasons) == {UNLABELLED}:
        return (
            "no candidate says whether it was clicked (N123-1, N456-0), as in the test set of MIND;"
            " expected labels: take the training or the dev set"
        )
    return f"expected rows of impression id, user, time, history, impressions; got {'; '.join(tally.said()) or 'none'}"


def _history_clicks(behaviors: list[Behavior], users: Index, ids: Index) -> Events:
    """Clicks of each user's first history; users are spread over the hour, so not all click at once."""
    rows: list[tuple[int, int, int]] = []
    for behavior in behaviors:
        if behavior.user_id in users:
            continue
        user = users.setdefault(behavior.user_id, len(users))
        offset_ms = zlib.crc32(behavior.user_id.encode()) % HOUR_MS
        step_ms = min(HOUR_MS, (HISTORY_MS - offset_ms) // max(1, len(behavior.history)))
        last_ms = behaviors[0].at_ms - 1 - offset_ms
        for back, name in enumerate(reversed(behavior.history)):
            rows.append((last_ms - back * step_ms, user, ids.setdefault(name, len(ids))))
    return Events.of("click", *columns_of(rows))


def _shown_and_clicked(behaviors: list[Behavior], users: Index, ids: Index) -> tuple[Events, Events]:
    shown: list[tuple[int, int, int]] = []
    clicks: list[tuple[int, int, int]] = []
    for behavior in behaviors:
        user, impression = users[behavior.user_id], behavior.impression
        candidates = [ids.setdefault(name, len(ids)) for name in impression.candidates]
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
        language="en",
        deep_link=news.url,
        expires_at_ms=published_ms if expired else 0,
    )
