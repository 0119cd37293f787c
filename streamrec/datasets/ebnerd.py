"""EB-NeRD (Ekstra Bladet): a split's behaviors.parquet and history.parquet, and a table of articles beside or above.

Format: https://recsys.eb.dk/dataset/. Articles come from the original articles.parquet (text, publication time) or from
articles_side.parquet (first seen, no text: the title is the id in words). Times are read as UTC: the log is quietest
at 00-02 h, which is 2-4 h at night in Denmark. Known approximations:
* The click happens when the reader leaves the page the impression stood on (impression time + read_time; in the demo
  set the next page view follows within 1 s of that for most), and `dwell` when the article is left in its turn.
* No article is published later than it is first shown or read; one older than the log is stepped at its start.
* Articles that nobody was shown or read in the log are left out.
* Several splits are one log: a read that the history of one and the impressions of another hold, a minute apart or
  less, counts once.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..arrays import DoubleArray, IntArray
from ..contracts.article import ArticleEvent
from ..contracts.limits import EARLIEST_MS
from .columns import ACTION_CODE, ColumnLog, Events, columns_of, usable_ms
from .files import arrow, existing, table
from .parts import repeated
from .records import Impression
from .tally import Part, Tally
from .values import lists, seconds, timestamps_ms, whole_numbers

TABLES = ("articles.parquet", "articles_side.parquet")
BEHAVIORS = ("user_id", "impression_time", "article_ids_inview", "article_ids_clicked", "read_time", "next_read_time")
HISTORY = ("user_id", "impression_time_fixed", "article_id_fixed", "read_time_fixed")
MAX_DWELL_S = 86_400
SAME_READ_MS = 60_000  # a history and an impression give one read times that differ by a second or so


@dataclass(frozen=True)
class Shown:
    """Impressions of a split and what followed from them; ids are still the log's numbers."""

    impressions: list[Impression]
    at_ms: IntArray
    events: Events  # of one part: its history's reads, then views and reads of its impressions


def load_ebnerd(*folders: Path) -> ColumnLog:
    """The log in each `folder`/train, or in the `folder` if that is a split itself. Raises DataError."""
    tally, met = Tally(), set[Hashable]()
    splits = [folder if (folder / "behaviors.parquet").is_file() else folder / "train" for folder in folders]
    sides = dict.fromkeys(_side(split) for split in splits)
    shown = _joined([_split(split, tally, met) for split in splits], tally.of("reads of history"))
    events = shown.events
    user_ids, user = np.unique(events.user, return_inverse=True)
    article_ids, article = np.unique(events.article, return_inverse=True)
    first_ms = np.full(len(article_ids), np.iinfo(np.int64).max)
    np.minimum.at(first_ms, article, events.at_ms)
    start_ms = int(min(events.at_ms.min(initial=first_ms.max(initial=0)), shown.at_ms.min(initial=2**62)))
    facts = {number: fact for side in sides for number, fact in _articles(side, tally).items()}
    tally.names("reads", *_named(article_ids, article, facts))
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
        tally=tally,
        tz="Europe/Copenhagen",
    )


def _side(split: Path) -> Path:
    """The table of articles: the split's own, or that of all splits."""
    return existing(split if any((split / name).is_file() for name in TABLES) else split.parent, *TABLES)


def _split(split: Path, tally: Tally, met: set[Hashable]) -> Shown:
    """One part of the log, without impressions that are among the `met`; its own are put there."""
    shown = _behaviors(existing(split, "behaviors.parquet"), tally, met)
    history = _history(existing(split, "history.parquet"), tally)
    return Shown(shown.impressions, shown.at_ms, Events.join([history, shown.events]))


def _joined(parts: Sequence[Shown], reads: Part) -> Shown:
    """All parts, each read once: the history of a later one holds clicks of an earlier one's impressions."""
    events = Events.join([part.events for part in parts])
    number = np.repeat(np.arange(len(parts)), [len(part.events.at_ms) for part in parts])
    again = repeated(events, number, SAME_READ_MS) & (events.action != ACTION_CODE["impression"])
    reads.repeated = int((again & (events.action == ACTION_CODE["click"])).sum())
    impressions = [impression for part in parts for impression in part.impressions]
    return Shown(impressions, np.concatenate([part.at_ms for part in parts]), events.keep(~again))


def _behaviors(path: Path, tally: Tally, met: set[Hashable]) -> Shown:
    part, own = tally.of("behaviors"), set[Hashable]()
    found = table(path, BEHAVIORS, part)
    at_ms, users = timestamps_ms(path, found["impression_time"]), whole_numbers(path, found["user_id"])
    columns = [
        users.tolist(),
        *(lists(path, found[name]) for name in ("article_ids_inview", "article_ids_clicked")),
        *(np.clip(seconds(path, found[name]), 0, MAX_DWELL_S).tolist() for name in ("read_time", "next_read_time")),
    ]
    impressions: list[Impression] = []
    kept_ms: list[int] = []
    shown: list[tuple[int, int, int]] = []
    clicks: list[tuple[int, int, int]] = []
    dwell_s: list[float] = []
    for row, (row_ms, usable, user, inview, clicked, read_s, next_s) in enumerate(
        zip(at_ms.tolist(), usable_ms(at_ms).tolist(), *columns, strict=True), 1
    ):
        if not usable or user < 0 or not inview or -1 in inview or -1 in (clicked or ()):
            part.reject("no user, time or articles", row)
            continue
        hits = clicked or ()
        own.add(said := (row_ms, user, tuple(inview), tuple(hits)))
        if said in met:
            part.repeated += 1
            continue
        impressions.append(Impression(str(user), tuple(map(str, inview)), tuple(name in hits for name in inview)))
        kept_ms.append(row_ms)
        shown += [(row_ms, user, name) for name in inview]
        left_ms = row_ms + int(1_000 * read_s)
        clicks += [(left_ms + 1_000 * nth, user, name) for nth, name in enumerate(hits)]
        dwell_s += [next_s if nth == 0 else 0.0 for nth in range(len(hits))]
    met |= own
    viewed = Events.of("impression", *columns_of(shown))
    read = _reads(*columns_of(clicks), np.array(dwell_s, np.float64))
    return Shown(impressions, np.array(kept_ms, np.int64), Events.join([viewed, read]))


def _history(path: Path, tally: Tally) -> Events:
    part, reads, compute = tally.of("history"), tally.of("reads of history"), arrow("compute")
    found = table(path, HISTORY, part).combine_chunks()
    lengths = np.array([compute.list_value_length(found[name]).fill_null(0) for name in HISTORY[1:]])
    uneven = np.asarray((lengths != lengths[0]).any(axis=0))
    part.reject_rows("lists of unequal length", uneven)
    found = found.filter(~uneven)
    users = np.repeat(whole_numbers(path, found["user_id"]), lengths[0][~uneven])
    time, article, read_s = (compute.list_flatten(found[name]) for name in HISTORY[1:])
    at_ms, article = timestamps_ms(path, time), whole_numbers(path, article)
    dwell_s = np.clip(seconds(path, read_s), 0, MAX_DWELL_S)
    good = usable_ms(at_ms) & (article >= 0) & (users >= 0)
    reads.rows = len(good)
    reads.reject_rows("no user, time or article", ~good)
    return _reads(at_ms[good], users[good], article[good], dwell_s[good])


def _reads(at_ms: IntArray, user: IntArray, article: IntArray, dwell_s: DoubleArray) -> Events:
    """A click for each read and, where its time is known, the dwell that ends it."""
    click = Events.of("click", at_ms, user, article)
    ends_ms = at_ms + (1_000 * dwell_s).astype(np.int64)
    dwell = Events(ends_ms, user, article, np.full(len(at_ms), ACTION_CODE["dwell"], np.int64), dwell_s)
    return Events.join([click, dwell.keep(dwell_s > 0)])


def _articles(path: Path, tally: Tally) -> Mapping[int, Mapping[str, Any]]:
    original, part = path.name == "articles.parquet", tally.of("articles")
    texts = ("title", "subtitle", "category_str") if original else ()
    time = "published_time" if original else "first_seen"
    found = table(path, ("article_id", time, *texts), part)
    numbers = whole_numbers(path, found["article_id"])
    part.reject_rows("no id", numbers < 0)
    facts = {name: found[name].to_pylist() for name in texts}
    facts["at_ms"] = timestamps_ms(path, found[time]).tolist()
    rows = (dict(zip(facts, row, strict=True)) for row in zip(*facts.values(), strict=True))
    return {number: row for number, row in zip(numbers.tolist(), rows, strict=True) if number >= 0}


def _named(
    article_ids: IntArray, article: IntArray, facts: Mapping[int, object]
) -> tuple[dict[str, int], dict[str, object]]:
    """Times each article is shown or read, and the articles of the table, both by id."""
    times = np.bincount(article, minlength=len(article_ids))
    named = {str(number): count for number, count in zip(article_ids.tolist(), times.tolist(), strict=True)}
    return named, dict.fromkeys(map(str, facts))


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
