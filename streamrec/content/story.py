"""Stories: several articles about one event count as one for push history, so nobody is told the same news twice.

    story id = the one the article brought
             | the one this article id had before (an update stays in its story)
             | that of the nearest recent title of the same UTC day, if Jaccard(words) >= 0.7
             | the article id

Compared are the distinct title words without stop words; titles with fewer than four never match. Only re-worded
copies are found ("Quake of 6.1 hits Chile" / "Chile hit by quake of 6.1"); two independent reports of one event have
other words and stay two stories, unless the newsroom sends a `story_id`.
"""

from collections import OrderedDict
from typing import NamedTuple

from ..contracts.article import ArticleEvent
from .stop_words import STOP_WORDS
from .words import words

CAPACITY = 5_000  # articles; at a few per second in peaks, a day of a large newsroom
FEWEST_WORDS = 4
DAY_MS = 86_400_000


class _Seen(NamedTuple):
    arrival: int
    story_id: str
    day: int
    words: frozenset[str]


class RecentStories:
    """The last `capacity` articles by title words, for near-duplicates.

    Not state of its own: what it answered stands in `catalog`, and is read back from there after a restart (desk.py).
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._arrivals = 0
        self._seen: OrderedDict[str, _Seen] = OrderedDict()
        self._by_word: dict[tuple[int, str], dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._seen)

    def story_of(self, article: ArticleEvent) -> str:
        """Story id of an article; changes nothing."""
        if article.story_id:
            return article.story_id
        if known := self._seen.get(article.article_id):
            return known.story_id
        near = self._nearest(title_words(article.title), article.published_at_ms // DAY_MS)
        return near.story_id if near else article.article_id

    def remember(self, article_id: str, story_id: str, title: str, published_at_ms: int) -> None:
        """Let later titles join this article's story; the oldest article is forgotten when the capacity is reached."""
        seen = _Seen(self._arrivals + 1, story_id, published_at_ms // DAY_MS, title_words(title))
        self._forget(article_id)
        self._arrivals += 1
        self._seen[article_id] = seen
        for word in seen.words:
            self._by_word.setdefault((seen.day, word), {})[article_id] = None
        while len(self._seen) > self._capacity:
            self._forget(next(iter(self._seen)))

    def _forget(self, article_id: str) -> None:
        seen = self._seen.pop(article_id, None)
        if seen is None:
            return
        for word in seen.words:
            posting = self._by_word[seen.day, word]
            del posting[article_id]
            if not posting:
                del self._by_word[seen.day, word]

    def _nearest(self, wanted: frozenset[str], day: int) -> _Seen | None:
        """The most similar title at or above the threshold, the oldest of equals."""
        if len(wanted) < FEWEST_WORDS:
            return None
        # At Jaccard >= 0.7 a title misses at most 3 in 10 of the wanted words, so any n + 1 of them, n = 3/10, find it.
        postings = sorted((self._by_word.get((day, word), {}) for word in wanted), key=len)
        candidates = {each for posting in postings[: len(wanted) * 3 // 10 + 1] for each in posting}
        best: tuple[float, int] = (0.0, 0)
        nearest = None
        for near in map(self._seen.__getitem__, candidates):
            common = len(wanted & near.words)
            union = len(wanted) + len(near.words) - common
            rank = (common / union, -near.arrival)
            if len(near.words) >= FEWEST_WORDS and 10 * common >= 7 * union and rank > best:
                best, nearest = rank, near
        return nearest


def title_words(title: str) -> frozenset[str]:
    """The words two titles are compared by."""
    return frozenset(word for word in words(title) if word not in STOP_WORDS and word[0].isalnum())
