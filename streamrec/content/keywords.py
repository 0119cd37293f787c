"""Keywords of an article: up to eight of its own words, most telling first. For reasons, filters and people to read.

score(word) = (3 * times in the title + times in the abstract) * (1.5 if it looks like a name); ties keep text order.
Left out: stop words, numbers, single letters or characters. The same article always has the same keywords.
"""

from .stop_words import STOP_WORDS
from .words import entities, words

MAX_KEYWORDS = 8
TITLE_WEIGHT = 3.0
NAME_FACTOR = 1.5
ABSTRACT_CHARS = 1_000


def keywords_of(title: str, abstract: str = "") -> tuple[str, ...]:
    """At most MAX_KEYWORDS lower-cased words of the text."""
    abstract = abstract[:ABSTRACT_CHARS]
    scores: dict[str, float] = {}
    for text, weight in ((title, TITLE_WEIGHT), (abstract, 1.0)):
        for word in words(text):
            if _telling(word):
                scores[word] = scores.get(word, 0.0) + weight
    for name in entities(title) | entities(abstract):
        if name in scores:
            scores[name] *= NAME_FACTOR
    return tuple(sorted(scores, key=lambda word: -scores[word])[:MAX_KEYWORDS])


def _telling(word: str) -> bool:
    return len(word) > 1 and word not in STOP_WORDS and not word.isdigit() and word[0].isalnum()
