"""Globo.com: the click log of a Brazilian news portal; a parquet or CSV file, or the folder of hourly CSV files.

Format: user_id, click_article_id, click_timestamp (ms, UTC) and others
(https://www.kaggle.com/datasets/gspmoreira/news-portal-user-interactions-by-globocom).
It has clicks only. Known approximations: an article is published one minute before its first click; it has no text,
so its title is its id in words. Countries are anonymous codes, so all users get one zone.
"""

from pathlib import Path

import numpy as np

from ..arrays import IntArray
from ..contracts.article import ArticleEvent
from .columns import ColumnLog, Events, usable_ms
from .files import table
from .parts import repeated
from .tally import Part, Tally
from .values import timestamps_ms, whole_numbers

PUBLISHED_BEFORE_MS = 60_000
COLUMNS = ("click_timestamp", "user_id", "click_article_id")
READERS = (timestamps_ms, whole_numbers, whole_numbers)


def load_globo(*paths: Path, limit: int | None = None) -> ColumnLog:
    """The log in these paths, or its first `limit` clicks in order of time. Raises DataError."""
    tally = Tally()
    parts = [_clicks(path, tally.of("clicks")) for path in paths]
    found, number = Events.join(parts), np.repeat(np.arange(len(parts)), [len(part.at_ms) for part in parts])
    again = repeated(found, number, 0)
    tally.of("clicks").repeated = int(again.sum())
    found = found.keep(~again)
    order = np.argsort(found.at_ms, kind="stable")[:limit]
    at_ms, user, article = found.at_ms[order], found.user[order], found.article[order]
    user_ids, user = np.unique(user, return_inverse=True)
    article_ids, first, article = np.unique(article, return_index=True, return_inverse=True)
    published_ms = at_ms[first] - PUBLISHED_BEFORE_MS
    articles = [
        ArticleEvent(str(name), f"article {name}", at, language="pt")
        for name, at in zip(article_ids.tolist(), published_ms.tolist(), strict=True)
    ]
    return ColumnLog(
        name="globo",
        user_ids=_strings(user_ids),
        article_ids=_strings(article_ids),
        articles=articles,
        article_at_ms=published_ms,
        impressions=(),
        impression_at_ms=np.empty(0, np.int64),
        events=Events.of("click", at_ms, user, article),
        tally=tally,
        tz="America/Sao_Paulo",
    )


def _clicks(path: Path, part: Part) -> Events:
    """Clicks of one part; users and articles are still the log's numbers."""
    found = table(path, COLUMNS, part)
    at_ms, user, article = (read(path, found[name]) for read, name in zip(READERS, COLUMNS, strict=True))
    good = usable_ms(at_ms) & (user >= 0) & (article >= 0)
    part.reject_rows("no usable time, user or article", ~good)
    return Events.of("click", at_ms[good], user[good], article[good])


def _strings(numbers: IntArray) -> list[str]:
    return [str(number) for number in numbers.tolist()]
