"""What somebody searched for, in the terms of articles: a vector of their space, and words by which to know them again.

    Queries(encoder).understand("volcano Iceland") -> Query(words, vector), None where there is nothing to learn
    words_shared(words, title, keywords)           -> "Iceland volcano"

The vector is the one the articles' own encoder gives a title of these words without a category: each query is encoded
alone, and capitals and blanks do not count, so its bits depend on nothing else (tests/content/test_query.py). Words are
those of `words`, for queries and titles alike; up to four of a query, the longest first. Left out: numbers, single
letters, and function words of the query's language, unless a word stands alone. A query that leaves no word teaches
nothing. Where it is kept a word is a CRC-32: what a reader sees are words of the article.

A cache answers what was asked before. Without it: 13,000 queries a second with the hashed encoder, 1,600 with the
sentence encoder, whose weights are read at the first one (2.4 s and 190 MB; `prepare` does it aside, and loads the
dictionary of Chinese at the first query that needs it). So a batch of 1,000 searches, all of them new, takes its
partition 0.6 s with the latter.
"""

import functools
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..arrays import FloatArray
from ..contracts.ids import key_of
from .encoder import Encoder, Text
from .stop_words import stop_words_of
from .words import as_written, is_han, load_dictionary, needs_no_dictionary, plain, words

MOST_WORDS = 4  # as many as a profile row holds
REMEMBERED = 10_000  # queries: 4 MB
TITLES = 5_000


class Query(NamedTuple):
    """What is learned from one search: the words to know articles by, and a vector of their space."""

    words: tuple[int, ...]  # MOST_WORDS of CRC-32, ascending, 0 = none
    vector: FloatArray  # (64,), unit length, or zero


Understand = Callable[[str], Query | None]


def teaches_nothing(query: str) -> None:
    """Understands no query: what a partition without an encoder does with searches."""


class Queries:
    """Understands queries in one vector space; one of them serves all partitions of a process."""

    def __init__(self, encoder: Encoder) -> None:
        self.space_id = encoder.space_id
        self.is_ready = False  # the weights are in memory
        self._encoder = encoder
        self._known = functools.lru_cache(maxsize=REMEMBERED)(self._read)

    def is_ready_for(self, raw: bytes) -> bool:
        """Whether a query that stands in these bytes is understood at once."""
        return self.is_ready and needs_no_dictionary(raw)

    def prepare(self, raw: bytes) -> None:
        """Read the encoder's weights, and the dictionary that these bytes need. May take seconds; any thread."""
        self._encoder.encode([Text("ready")])
        self.is_ready = True
        if not needs_no_dictionary(raw):
            load_dictionary()

    def understand(self, query: str) -> Query | None:
        """Words and vector of a query; None where it has no words."""
        return self._known(" ".join(plain(query).lower().split()))

    def _read(self, query: str) -> Query | None:
        found = sorted({key_of(word) for word in _telling(query)})
        if not found:
            return None
        self.is_ready = True
        (vector,) = self._encoder.encode([Text(query)])
        return Query((*found, *[0] * (MOST_WORDS - len(found))), vector)


def words_shared(searched: Sequence[int], title: str, keywords: tuple[str, ...]) -> str:
    """Words of an article that were searched for, as it has them and in its order; "" if fewer than half of these."""
    if not searched:
        return ""
    here = _words_of(title, keywords)
    shared = [here[word] for word in here if word in searched]
    return " ".join(shared) if 2 * len(shared) >= len(searched) else ""


def _telling(query: str) -> list[str]:
    found = words(query)
    function_words = stop_words_of(found) if len(found) > 1 else frozenset()
    telling = [word for word in found if (len(word) > 1 or is_han(word)) and not word.isdigit()]
    return sorted(dict.fromkeys(word for word in telling if word not in function_words), key=len, reverse=True)[
        :MOST_WORDS
    ]


@functools.lru_cache(maxsize=TITLES)
def _words_of(title: str, keywords: tuple[str, ...]) -> dict[int, str]:
    """By CRC-32, in order: those of the title, and behind them the keywords, some of which the abstract says only."""
    found: dict[int, str] = {}
    for word in (*as_written(title), *keywords):
        found.setdefault(key_of(word.lower()), word)
    return found
