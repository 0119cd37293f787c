"""Rows of MIND's two files as records, each row that is none counted with its reason."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from ..contracts.limits import EARLIEST_MS, LATEST_MS, MAX_ID_CHARS
from ..errors import DataError
from .records import Impression
from .tally import Part, Tally
from .tsv import tsv_rows

NEWS_COLUMNS = ("nid", "category", "subcategory", "title", "abstract", "url", "title_entities", "abstract_entities")
NEWS_ALIASES = {"news_id": "nid", "newsid": "nid", "id": "nid", "subcat": "subcategory", "cat": "category"}
COLUMNS = ("impression_id", "user_id", "time", "history", "impressions")
ALIASES = {
    "impressionid": "impression_id",
    "imp_id": "impression_id",
    "id": "impression_id",
    "userid": "user_id",
    "uid": "user_id",
    "user": "user_id",
    "timestamp": "time",
    "impression_time": "time",
    "click_history": "history",
    "candidates": "impressions",
    "impression": "impressions",
}
UNLABELLED = "candidates without labels"
TIME_FORMATS = ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S")


class News(NamedTuple):
    """An article as one row of MIND's news.tsv tells it."""

    title: str
    abstract: str
    category: str
    url: str


class Behavior(NamedTuple):
    """An impression and the clicks before it, as one row of MIND's behaviors.tsv tells them."""

    at_ms: int
    user_id: str
    history: tuple[str, ...]  # oldest first
    impression: Impression


def news_rows(path: Path, tally: Tally) -> Iterator[tuple[str, News]]:
    """Articles by id; DataError where there is none."""
    part = tally.of("news")
    for line, field in tsv_rows(path, NEWS_COLUMNS, NEWS_ALIASES, 4, part):
        name, title = field.get("nid", "").strip(), field.get("title", "").strip()
        if not (title and 0 < len(name) <= MAX_ID_CHARS):
            part.reject("no id or title", line)
            continue
        abstract, category, url = (field.get(column, "") for column in ("abstract", "category", "url"))
        yield name, News(title[:500], abstract[:5_000], category[:64], url[:2_000])
    if not part.read:
        raise DataError(
            f"{path}: expected rows of {', '.join(NEWS_COLUMNS[:5])}; got {'; '.join(tally.said()) or 'none'}"
        )


def behavior_rows(paths: Sequence[Path], news: Mapping[str, News], tally: Tally) -> Iterator[Iterator[Behavior]]:
    """Impressions of each file with the candidates and histories of which there is `news`."""
    shown, read = Counter[str](), Counter[str]()
    for path in paths:
        yield _behavior_rows(path, news, tally.of("behaviors"), shown, read)
    tally.names("candidates", shown, news)
    tally.names("reads of histories", read, news)


def _behavior_rows(
    path: Path, news: Mapping[str, News], part: Part, shown_names: Counter[str], read_names: Counter[str]
) -> Iterator[Behavior]:
    for line, field in tsv_rows(path, COLUMNS, ALIASES, len(COLUMNS), part):
        user, history = field.get("user_id", "").strip(), field.get("history", "").split()
        at_ms, pairs = _millis(field.get("time", "")), _labelled(field.get("impressions", ""))
        if at_ms is None:
            part.reject("no time like 11/9/2019 2:03:21 PM", line)
        elif not 0 < len(user) <= MAX_ID_CHARS:
            part.reject("no user", line)
        elif not pairs:
            part.reject("no candidates" if pairs is not None else UNLABELLED, line)
        else:
            shown_names.update(name for name, _ in pairs)
            read_names.update(history)
            known = [pair for pair in pairs if pair[0] in news]
            names, clicked = zip(*known, strict=True) if known else ((), ())
            yield Behavior(at_ms, user, tuple(filter(news.__contains__, history)), Impression(user, names, clicked))


def _labelled(shown: str) -> list[tuple[str, bool]] | None:
    """Candidates and whether each was clicked; None where one does not say."""
    parts = [candidate.rpartition("-") for candidate in shown.split()]
    if not all(name and flag in ("0", "1") for name, _, flag in parts):
        return None
    return [(name, flag == "1") for name, _, flag in parts]


def _millis(text: str) -> int | None:
    """A time of the log in ms, read as UTC where it names no zone; None if it is none the contracts take."""
    text = " ".join(text.split())  # exports put a narrow no-break space before AM and PM
    for form in (*TIME_FORMATS, None):
        try:
            at = datetime.strptime(text, form).replace(tzinfo=UTC) if form else datetime.fromisoformat(text)
        except ValueError:
            continue
        at_ms = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
        return at_ms if EARLIEST_MS <= at_ms <= LATEST_MS else None
    return None
