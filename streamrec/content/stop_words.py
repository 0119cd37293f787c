"""Function words by language: they tie no two headlines together.

The words stand in stop_words.txt, written by hand for this project.

A word may be a function word of one language and the news in another ("die", "war", "son"), so a text is cleared only
of those of the languages that have most of theirs in it: `stop_words_of`.
"""

from collections.abc import Collection
from importlib.resources import files

_LINES = files(__package__).joinpath("stop_words.txt").read_text(encoding="utf-8").splitlines()
BY_LANGUAGE = {language: frozenset(words.split()) for language, words in (line.split(":", 1) for line in _LINES)}
STOP_WORDS = frozenset().union(*BY_LANGUAGE.values())


def hits(found: Collection[str]) -> dict[str, int]:
    """How many of a text's words are function words, by language that has any."""
    telling = [word for word in found if word in STOP_WORDS]
    counts = {language: sum(word in own for word in telling) for language, own in BY_LANGUAGE.items()}
    return {language: count for language, count in counts.items() if count}


def stop_words_of(found: Collection[str]) -> frozenset[str]:
    """Function words of the language that has most of them in this text; of all such languages where several have."""
    counts = hits(found)
    most = max(counts.values(), default=0)
    return frozenset().union(*(BY_LANGUAGE[language] for language, count in counts.items() if count == most))
