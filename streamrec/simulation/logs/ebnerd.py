"""EB-NeRD (Ekstra Bladet): a split's behaviors.parquet and history.parquet, and a table of articles beside or above.

Format: https://recsys.eb.dk/dataset/. Articles come from the original articles.parquet (text, publication time) or from
articles_side.parquet (first seen, no text: the title is the id in words). Times are read as UTC: the log is quietest
at 00-02 h, which is 2-4 h at night in Denmark. Known approximations:
* The click happens when the reader leaves the page the impression stood on (impression time + read_time; in the demo
  set the next page view follows within 1 s of that for most), and `dwell` when the article is left in its turn.
* No article is published later than it is first shown or read; one older than the log is stepped at its start.
* Articles that nobody was shown or read in the split are left out.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ...contracts.article import ArticleEvent
from ...contracts.limits import EARLIEST_MS
from ...errors import DataError
from .columns import ACTION_CODE, ColumnLog, Events, IntArray, columns_of, usable_ms
from .files import arrow, existing, table, timestamps_ms, whole_numbers
from .records import Impression

TABLES = ("articles.parquet", "articles_side.parquet")
BEHAVIORS = ("user_id", "impression_time", "article_ids_inview", "article_ids_clicked", "read_time", "next_read_time")
HISTORY = ("user_id", "impression_time_fixed", "article_id_fixed", "read_time_fixed")
MAX_DWELL_S = 86_400


@dataclass(frozen=True)
class Shown:
    """Impressions of a split and what followed from them; ids are still the log's numbers."""

    impressions: list[Impression]
    at_ms: IntArray
    events: Events


def load_ebnerd(folder: Path, *, split: str = "train", tz: str = "Europe/Copenhagen") -> ColumnLog:
    """The log in `folder`/`split`, or in `folder` if that is a split itself. Raises DataError."""
    rejected: Counter[str] = Counter()
    home, part = (folder.parent, folder) if (folder / "behaviors.parquet").is_file() else (folder, folder / split)
    side = existing(part if any((part / name).is_file() for name in TABLES) else home, *TABLES)
    shown = _behaviors(existing(part, "behaviors.parquet"), rejected)
    events = Events.join([_history(existing(part, "history.parquet"), rejected), shown.events])
    user_ids, user = np.unique(events.user, return_inverse=True)
    article_ids, article = np.unique(events.article, return_inverse=True)
    first_ms = np.full(len(article_ids), np.iinfo(np.int64).max)
    np.minimum.at(first_ms, article, events.at_ms)
    start_ms = int(min(events.at_ms.min(initial=first_ms.max(initial=0)), shown.at_ms.min(initial=2**62)))
    facts = _articles(side)
    articles = [
        _article(number, first, facts.get(number, {}))
        for number, first in zip(article_ids.tolist(), first_ms.tolist(), strict=True)
    ]
    return ColumnLog(
        name="ebnerd",
        user_ids=[str(number) for number in user_ids.tolist()],
        article_ids=[str(number) for number in article_ids.tolist()],
        articles=articles,
        article_at_ms=np.array([max(start_ms, a.published_at_ms) for a in articles], np.int64),
        impressions=shown.impressions,
        impression_at_ms=shown.at_ms,
        events=events._replace(user=user, article=article),
        rejected=rejected,
        tz=tz,
    )


def _behaviors(path: Path, rejected: Counter[str]) -> Shown:
    found = table(path, BEHAVIORS)
    at_ms = timestamps_ms(path, found["impression_time"])
    columns = [found[name].to_pylist() for name in BEHAVIORS]
    impressions: list[Impression] = []
    kept_ms: list[int] = []
    shown: list[tuple[int, int, int]] = []
    clicks: list[tuple[int, int, int]] = []
    dwell_s: list[float] = []
    for row_ms, usable, (user, _, inview, clicked, read_s, next_s) in zip(
        at_ms.tolist(), usable_ms(at_ms).tolist(), zip(*columns, strict=True), strict=True
    ):
        if not usable or user is None or not inview or None in inview or None in (clicked or ()):
            rejected["behaviors: no user, time or articles"] += 1
            continue
        hits = clicked or ()
        impressions.append(Impression(str(user), tuple(map(str, inview)), tuple(name in hits for name in inview)))
        kept_ms.append(row_ms)
        shown += [(row_ms, user, name) for name in inview]
        left_ms = row_ms + int(1_000 * _seconds(read_s))
        clicks += [(left_ms + 1_000 * nth, user, name) for nth, name in enumerate(hits)]
        dwell_s += [_seconds(next_s) if nth == 0 else 0.0 for nth in range(len(hits))]
    viewed = Events.of("impression", *columns_of(shown))
    read = _reads(*columns_of(clicks), np.array(dwell_s, np.float64))
    return Shown(impressions, np.array(kept_ms, np.int64), Events.join([viewed, read]))


def _history(path: Path, rejected: Counter[str]) -> Events:
    found = table(path, HISTORY).combine_chunks()
    compute = arrow("compute")
    user, time, article, read_s = (found[name] for name in HISTORY)
    parent = compute.list_parent_indices(time).to_numpy()
    flat = [compute.list_flatten(column) for column in (time, article, read_s)]
    if len({len(column) for column in flat}) != 1:
        raise DataError(f"{path}: expected lists of equal length, got {[len(column) for column in flat]} items in all")
    at_ms, article = timestamps_ms(path, flat[0]), whole_numbers(path, flat[1])
    dwell_s = np.clip(np.nan_to_num(flat[2].fill_null(0).to_numpy()), 0, MAX_DWELL_S)
    users = whole_numbers(path, user)[parent]
    good = usable_ms(at_ms) & (article >= 0) & (users >= 0)
    rejected["history: no user, time or article"] += int((~good).sum())
    return _reads(at_ms[good], users[good], article[good], dwell_s[good])


def _reads(at_ms: IntArray, user: IntArray, article: IntArray, dwell_s: npt.NDArray[np.float64]) -> Events:
    """A click for each read and, where its time is known, the dwell that ends it."""
    click = Events.of("click", at_ms, user, article)
    ends_ms = at_ms + (1_000 * dwell_s).astype(np.int64)
    dwell = Events(ends_ms, user, article, np.full(len(at_ms), ACTION_CODE["dwell"], np.int64), dwell_s)
    return Events.join([click, dwell.keep(dwell_s > 0)])


def _articles(path: Path) -> Mapping[int, Mapping[str, Any]]:
    original = path.name == "articles.parquet"
    texts = ("title", "subtitle", "category_str") if original else ()
    time = "published_time" if original else "first_seen"
    found = table(path, ("article_id", time, *texts))
    facts = {name: found[name].to_pylist() for name in texts}
    facts["at_ms"] = timestamps_ms(path, found[time]).tolist()
    rows = (dict(zip(facts, row, strict=True)) for row in zip(*facts.values(), strict=True))
    return dict(zip(found["article_id"].to_pylist(), rows, strict=True))


def _article(number: int, first_ms: int, fact: Mapping[str, Any]) -> ArticleEvent:
    known_ms = fact.get("at_ms", -1)
    return ArticleEvent(
        article_id=str(number),
        title=(fact.get("title") or f"article {number}")[:500],
        published_at_ms=min(first_ms, known_ms) if known_ms >= EARLIEST_MS else first_ms,
        abstract=(fact.get("subtitle") or "")[:5_000],
        category=(fact.get("category_str") or "")[:64],
        language="da",
    )


def _seconds(value: float | None) -> float:
    """A reading time inside the contract's range; absent or NaN counts as none."""
    return min(max(value, 0.0), MAX_DWELL_S) if value is not None and value == value else 0.0  # noqa: PLR0124
