"""Whether two headlines tell one event: precision first, since a story taken for another one is never pushed.

    same(a, b)  if  no word of a is exchanged for another one in b
                and the shorter has at least 6 in 10 of the longer's words

So words may be added, left out, inflected and put in another order; one name, number, place or verb in the place of
another is another event ("convicts" / "acquits", Leeds / Bristol), and so is a "not" on one side only, or two words
that change places (who beat whom). One number is free: of casualties, where that is all that differs ("12 dead" / "14
dead"). Two reports in other words stay two, unless the newsroom sends a `story_id`: without knowing what words mean,
"huge" for "large" looks like "Leeds" for "Bristol". Labels of agencies ("UPDATE 1-", "BREAKING:", in 14 languages) are
no part of a headline.

On 400 labelled pairs precision is 1.00, recall .89, and 160 of 160 minimal pairs stay apart; Jaccard >= .7 on one UTC
day has .61, .73 and 72; equal titles 1.00, .17 and 160 (tests/content/test_story_pairs.py, -s). 5,000 titles are
searched in 0.3 ms.
"""

import re
from collections import Counter
from importlib.resources import files
from typing import NamedTuple

from .stop_words import stop_words_of
from .words import plain, words

FEWEST_WORDS, FEWEST_EQUAL = 4, 3  # in a re-worded headline; in one that is repeated
SHARED_TENTHS = 6
STEM_CHARS, KEY_CHARS = 4, 3  # forms of one word share the former at least, or differ by an s

_LINES = files(__package__).joinpath("headline_words.txt").read_text(encoding="utf-8").splitlines()
_WORDS = {
    name: frozenset(plain(listed).strip().split(", ")) for name, listed in (line.split(":", 1) for line in _LINES)
}
NEGATIONS, CASUALTIES = _WORDS["negations"], _WORDS["casualties"]
OPPOSED = _WORDS["opposed"]  # function words that change what is told: opposites, and numbers like Danish "to" (two)

_NAMED = rf"(?:{'|'.join(sorted(map(re.escape, _WORDS['labels']), key=len, reverse=True))})(?:\s*\(?\d+\)?)?"
_LABEL = re.compile(rf"\s*(?:{_NAMED}\s*[:|\u2013\u2014-]|[\[(\u3010]\s*{_NAMED}\s*[\])\u3011])\s*", re.IGNORECASE)
_LABEL_AFTER = re.compile(rf"\s*[\[(\u3010]\s*{_NAMED}\s*[\])\u3011]\s*\Z", re.IGNORECASE)


class Headline(NamedTuple):
    """What of a title is compared: its words in order, without and with those that stand for nothing."""

    words: tuple[str, ...]
    spoken: tuple[str, ...]

    @property
    def beginnings(self) -> frozenset[str]:
        """Under which a headline that tells the same can be found."""
        return frozenset(word[:KEY_CHARS] for word in self.words)


def headline_of(title: str) -> Headline:
    """A title cut into words once, labels and stop words left out, ready to be compared with many."""
    found = words(without_labels(title))
    left_out = stop_words_of(found) - NEGATIONS - OPPOSED
    return Headline(tuple(word for word in found if word not in left_out and any(map(str.isalnum, word))), tuple(found))


def without_labels(title: str) -> str:
    """A title without what agencies put around it; the title itself if nothing else is left."""
    whole = bare = plain(title).strip()
    while bare:
        labelled = _LABEL.match(bare)
        less = _LABEL_AFTER.sub("", bare[labelled.end() :] if labelled else bare).strip()
        if less == bare:
            return bare
        bare = less
    return whole


def likeness(one: Headline, other: Headline) -> float:
    """Share of words two headlines have in common, where both tell one event; 0 where they do not. Symmetric."""
    short, long = sorted((one.words, other.words), key=lambda words: (len(words), words))
    if short == long:
        return 1.0 if len(short) >= FEWEST_EQUAL else 0.0
    if len(short) < FEWEST_WORDS or 10 * len(short) < SHARED_TENTHS * len(long):
        return 0.0
    here, there = _differing(short, long)
    if _grown(here, there, {*short, *long}):
        return (len(short) - 1) / len(long)
    if here or not NEGATIONS.isdisjoint(there) or _exchanged(one, other):
        return 0.0
    return len(short) / len(long)


def _differing(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Words of one that are not in the other, in any form, and the other way round."""
    here, there = Counter(one) - Counter(other), Counter(other) - Counter(one)
    for word in sorted(here):
        for form in sorted(there):
            if _forms_of_one(word, form) and (both := min(here[word], there[form])):
                here[word], there[form] = here[word] - both, there[form] - both
    return list(here.elements()), list(there.elements())


def _forms_of_one(one: str, other: str) -> bool:
    """Shakes / shaken, Chile / Chilean; not Austria / Australia, nor 1,200 / 1,250."""
    short, long = sorted((one, other), key=len)
    if short == long or (len(short) >= KEY_CHARS and short + "s" == long):
        return True
    same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    ends = sorted((one[same:], other[same:]), key=len)
    return same >= STEM_CHARS and len(ends[0]) <= 1 and len(ends[1]) <= 3 and one.isalpha() and ends[1] != "ia"


def _grown(here: list[str], there: list[str], both: set[str]) -> bool:
    """Whether all that differs is a number of casualties."""
    return len(here) == len(there) == 1 and here[0].isdigit() and there[0].isdigit() and not both.isdisjoint(CASUALTIES)


def _exchanged(one: Headline, other: Headline) -> bool:
    """Whether two words changed places around others that stay: who did it to whom. Neighbours may be re-worded."""
    apart = _two_exchanged(one.words, other.words)
    return apart > 1 or _two_exchanged(one.spoken, other.spoken) > 0


def _two_exchanged(one: tuple[str, ...], other: tuple[str, ...]) -> int:
    """How far apart two words are that have changed places, where all others stay; else 0."""
    if len(one) != len(other):
        return 0
    moved = [at for at, (a, b) in enumerate(zip(one, other, strict=True)) if not _forms_of_one(a, b)]
    if len(moved) != 2:
        return 0
    a, b = moved
    return b - a if _forms_of_one(one[a], other[b]) and _forms_of_one(one[b], other[a]) else 0
