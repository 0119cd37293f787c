"""Category of an article: the one it brought, in lower case, else the one its words speak for.

`topics` counts category words (lexicon.py) in any of the three languages of CLAIMED; Han runs are matched by the
longest entry at each position, without a segmenter. A guess needs one category ahead of all others, else it is ""
(undecided), and so it is in all other languages, where a word may mean another thing: "kamp" is a match in Danish,
and a camp in Dutch.
"""

import functools
from collections import Counter
from collections.abc import Sequence

from ..contracts.ids import CATEGORY_ALIASES
from .lexicon import TEXT
from .words import is_han, pieces

CLAIMED = frozenset({"en", "da", "zh"})  # languages in which a category is guessed
PREFIX_CHARS = 5
LONGEST_HAN = 4


def category_of(given: str, language: str, title: str, abstract: str = "") -> str:
    """Normalised category of an article; "" when it brought none and its words are undecided."""
    return given.strip().lower() or guess_category(language, title, abstract)


def canonical(category: str) -> str:
    """The well-known name of a category where there is one ("finance" -> "business"), else the category itself."""
    name = category.strip().lower()
    return CATEGORY_ALIASES.get(name, name)


def guess_category(language: str, title: str, abstract: str = "") -> str:
    """One of CATEGORIES or "", which it is outside CLAIMED. A word of the title counts twice."""
    if language not in CLAIMED:
        return ""
    votes: Counter[str] = Counter()
    for text, weight in ((title, 2), (abstract, 1)):
        for topic in topics(pieces(text)):
            votes[topic] += weight
    ranked = votes.most_common(2)
    if not ranked or (len(ranked) == 2 and ranked[0][1] == ranked[1][1]):
        return ""
    return ranked[0][0]


def topics(found: Sequence[str]) -> list[str]:
    """Categories spoken for by the pieces of a text, in order, once per matching word."""
    spoken: list[str] = []
    for piece in found:
        if is_han(piece):
            spoken.extend(_han_topics(piece))
        elif topic := _word_topic(piece):
            spoken.append(topic)
    return spoken


@functools.cache
def _index() -> dict[str, str]:
    return {word: category for category, text in TEXT.items() for word in text.split()}


@functools.lru_cache(maxsize=50_000)
def _word_topic(word: str) -> str:
    index = _index()
    for chars in range(len(word), PREFIX_CHARS - 1, -1):
        if topic := index.get(word[:chars]):
            return topic
    return index.get(word, "")


def _han_topics(run: str) -> list[str]:
    index, spoken, at = _index(), [], 0
    while at < len(run):
        for chars in range(LONGEST_HAN, 1, -1):
            if topic := index.get(run[at : at + chars]):
                spoken.append(topic)
                at += chars
                break
        else:
            at += 1
    return spoken
