"""What readers have said they want, as columns: for those only who said something, by a number their row knows.

    table.muted(sides, slots, articles, "sources")  -> (N,) whether each reader has muted the source of the article

`side` 0 is everybody else's. Rules ask in numpy; what was said stands in statements.py, as the changelog keeps it.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from ...arrays import AnyArray, BoolArray, IndexArray, UIntArray
from ...contracts.article import AnalysedArticle
from ...contracts.ids import key_of
from ...contracts.preferences import KINDS_OF_NAMES, LANGUAGES
from ...contracts.text import clean_name
from .name_sets import NameSets
from .statements import NOTHING, Said

Articles = Sequence[AnalysedArticle | None]  # by slot
ALL_NEWS, BREAKING_ONLY, NO_NEWS = 0, 1, 2
LEVELS = {"all": ALL_NEWS, "breaking": BREAKING_ONLY, "none": NO_NEWS}


class PreferenceTable:
    """The statements of readers, by side number, and the columns that rules read."""

    def __init__(self) -> None:
        self._said: list[Said] = [NOTHING]
        self._free: list[int] = []
        self.columns: dict[str, AnyArray] = {
            "level": np.zeros(16, np.uint8),  # of LEVELS
            "unprofiled": np.zeros(16, np.bool_),
            "languages": np.zeros((16, LANGUAGES), "S2"),  # none: any
            "zone": np.zeros(16, np.uint32),  # as in the row; 0: that of the device
        }
        self._muted, self._followed = NameSets(), NameSets()

    def __len__(self) -> int:
        """How many readers have said something."""
        return len(self._said) - 1 - len(self._free)

    def said(self, side: int) -> Said:
        """What this reader has said."""
        return self._said[side]

    def put(self, side: int, said: Said) -> int:
        """Keep what a reader has said; 0 for one who had said nothing. Answers with the reader's number."""
        side = side or self._new()
        self._said[side] = said
        self._fill(side, said)
        return side

    def drop(self, side: int) -> None:
        """Forget what a reader has said; the number is handed out again."""
        self.put(side, NOTHING)
        self._free.append(side)

    def muted(self, sides: IndexArray, slots: IndexArray, articles: Articles, kind: str) -> BoolArray:
        """Whether each reader has muted a name of this kind that the article in the slot beside it has, (N,)."""
        return _have(self._muted, sides, slots, articles, (kind,))

    def followed(self, sides: IndexArray, slots: IndexArray, articles: Articles) -> BoolArray:
        """Whether each reader follows a name, of whatever kind, that the article in the slot beside it has, (N,)."""
        return _have(self._followed, sides, slots, articles, KINDS_OF_NAMES)

    def follow_any(self, sides: IndexArray, article: AnalysedArticle) -> BoolArray:
        """Whether each of these readers follows a name of this one article, (N,)."""
        return self._followed.have_any(sides, keys_of(article, KINDS_OF_NAMES))

    def follow_names(self, sides: IndexArray, names: Sequence[str]) -> BoolArray:
        """Whether each of these readers follows one of these names, as in `stories/s17`, (N,)."""
        return self._followed.have_any(sides, np.array([key_of(name) for name in names], np.uint32))

    def _new(self) -> int:
        if self._free:
            return self._free.pop()
        self._said.append(NOTHING)
        if len(self._said) > len(self.columns["level"]):
            self.columns = {
                name: np.concatenate([column, np.zeros_like(column)]) for name, column in self.columns.items()
            }
        return len(self._said) - 1

    def _fill(self, side: int, said: Said) -> None:
        columns, languages = self.columns, said.value("languages")
        columns["level"][side] = LEVELS[str(said.value("level") or "all")]
        columns["unprofiled"][side] = said.value("profiling") is False
        columns["languages"][side] = b""
        if isinstance(languages, list):
            columns["languages"][side, : len(languages)] = [code.encode() for code in languages]
        zone = said.value("zone")
        columns["zone"][side] = key_of(str(zone)) if zone else 0
        for sets, stance in ((self._muted, "mute"), (self._followed, "follow")):
            sets.put(side, [_key(f"{kind}/{name}") for kind in KINDS_OF_NAMES for name in said.names(kind, stance)])


def keys_of(article: AnalysedArticle, kinds: tuple[str, ...]) -> UIntArray:
    """The keys under which readers may have muted or followed this article, (K,)."""
    return np.array([_key(name) for name in names_of(article, kinds)], np.uint32)


def names_of(article: AnalysedArticle, kinds: tuple[str, ...] = KINDS_OF_NAMES) -> list[str]:
    """The names under which readers may have muted or followed this article, as in `tags/volcano`."""
    names: dict[str, tuple[str, ...]] = {
        "categories": (clean_name(article.category),),
        "sources": (clean_name(article.source),),
        "stories": (article.story_id,),
        "tags": (*article.tags, *article.keywords),
    }
    return list(dict.fromkeys(f"{kind}/{name}" for kind in kinds for name in names[kind] if name))


_key = lru_cache(100_000)(key_of)


def _have(
    sets: NameSets, sides: IndexArray, slots: IndexArray, articles: Articles, kinds: tuple[str, ...]
) -> BoolArray:
    """By article, for the pairs of readers who said anything."""
    found, said = np.zeros(len(sides), np.bool_), np.flatnonzero(sides)
    for slot in np.unique(slots[said]).tolist():
        if (article := articles[slot]) is not None:
            places = said[slots[said] == slot]
            found[places] = sets.have_any(sides[places], keys_of(article, kinds))
    return found
