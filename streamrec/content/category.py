"""Category of an article: the one it brought, in lower case, else the one its words speak for.

`topics` counts the words of category_words.txt, written by hand for this project in the three languages of CLAIMED. One
of five letters and more also matches as the beginning of a word, the longest first: `fodbold` finds `fodboldkamp`,
`politi` does not find `politics`, which is listed itself. Han runs are matched by the longest entry at each position,
without a segmenter. No word stands in two categories (tests/content/test_category.py).

A guess needs one category ahead of all others, else it is "" (undecided). So it is in all other languages, where a word
may mean another thing: "kamp" is a match in Danish, and a camp in Dutch.
"""

import functools
from collections import Counter
from collections.abc import Sequence
from importlib.resources import files

from ..contracts.ids import CATEGORY_ALIASES
from .words import is_han, pieces

CLAIMED = frozenset({"en", "da", "zh"})  # languages in which a category is guessed
PREFIX_CHARS = 5
LONGEST_HAN = 4

_LINES = files(__package__).joinpath("category_words.txt").read_text(encoding="utf-8").splitlines()
CATEGORY_WORDS = {category: words.split() for category, words in (line.split(":", 1) for line in _LINES)}
_CATEGORY_OF = {word: category for category, words in CATEGORY_WORDS.items() for word in words}


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


@functools.lru_cache(maxsize=50_000)
def _word_topic(word: str) -> str:
    for chars in range(len(word), PREFIX_CHARS - 1, -1):
        if topic := _CATEGORY_OF.get(word[:chars]):
            return topic
    return _CATEGORY_OF.get(word, "")


def _han_topics(run: str) -> list[str]:
    spoken, at = list[str](), 0
    while at < len(run):
        for chars in range(LONGEST_HAN, 1, -1):
            if topic := _CATEGORY_OF.get(run[at : at + chars]):
                spoken.append(topic)
                at += chars
                break
        else:
            at += 1
    return spoken
