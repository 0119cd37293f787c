"""Stories: several articles about one event count as one for push history, so nobody is told the same news twice.

    story id = the one the article brought
             | the one this article id had before (an update stays in its story)
             | that of the likeliest title at most WINDOW_MS earlier or later that tells the same (headline_match.py)
             | the article id

The window slides, so midnight divides nothing; it is shorter than a day, since a daily column with a fixed title is new
every day, and may be early.
"""

from collections import OrderedDict
from typing import NamedTuple

from ..contracts.article import ArticleEvent
from .headline_match import SHARED_TENTHS, Headline, headline_of, likeness

CAPACITY = 5_000  # articles; at a few per second in peaks, a day of a large newsroom
WINDOW_MS = 20 * 3_600_000


class _Seen(NamedTuple):
    arrival: int
    story_id: str
    at_ms: int
    headline: Headline
    keys: frozenset[str]


class RecentStories:
    """The last `capacity` articles by the words of their headlines, for those that tell the same.

    Not state of its own: what it answered stands in `catalog`, and is read back from there after a restart
    (pipeline.py).
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._arrivals = 0
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._by_key: dict[str, dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def story_of(self, article: ArticleEvent) -> str:
        """Story id of an article; changes nothing."""
        if article.story_id:
            return article.story_id
        if known := self._seen.get(article.article_id):
            return known.story_id
        near = self._likeliest(headline_of(article.title), article.published_at_ms)
        return near.story_id if near else article.article_id

    def remember(self, article_id: str, story_id: str, title: str, published_at_ms: int) -> None:
        """Let later titles join this article's story; the oldest article is forgotten when the capacity is reached."""
        headline = headline_of(title)
        seen = _Seen(self._arrivals + 1, story_id, published_at_ms, headline, headline.beginnings)
        self._forget(article_id)
        self._arrivals += 1
        self._seen[article_id] = seen
        for key in seen.keys:
            self._by_key.setdefault(key, {})[article_id] = None
        while len(self._seen) > self._capacity:
            self._forget(next(iter(self._seen)))

    def _forget(self, article_id: str) -> None:
        seen = self._seen.pop(article_id, None)
        if seen is None:
            return
        for key in seen.keys:
            posting = self._by_key[key]
            del posting[article_id]
            if not posting:
                del self._by_key[key]

    def _likeliest(self, wanted: Headline, at_ms: int) -> _Seen | None:
        """The headline that has most in common with this one and tells the same; the oldest of equals."""
        # One that tells the same misses at most 4 in 10 of the wanted words, so any n + 1 keys, n = 4/10, find it.
        keys = wanted.beginnings
        postings = sorted((self._by_key.get(key, {}) for key in keys), key=len)
        enough = len(wanted.words) * (10 - SHARED_TENTHS) // 10 + 1
        candidates = {each for posting in postings[:enough] for each in posting}
        best: tuple[float, int] = (0.0, 0)
        found = None
        for near in map(self._seen.__getitem__, candidates):
            # All words of the shorter but a number are in the longer: most candidates end here.
            if abs(near.at_ms - at_ms) > WINDOW_MS or len(keys & near.keys) < min(len(keys), len(near.keys)) - 1:
                continue
            rank = (likeness(wanted, near.headline), -near.arrival)
            if rank[0] and rank > best:
                best, found = rank, near
        return found
