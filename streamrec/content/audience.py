"""The names in an article's audience as what partitions compare: languages by two letters, categories by slot.

A name that nobody can fit is left out, which makes the audience smaller, and said in a note: a language without a code
of two letters, a zone or country that the zone database lacks, a category of which no article has come, a kind of name
that nobody can follow.
"""

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from ..contracts.article import ArticleEvent
from ..contracts.audience import Audience, is_nobody
from ..contracts.field_parsing import Note
from ..contracts.ids import SHARED_CATEGORY
from ..contracts.limits import LATEST_MS
from ..contracts.places import is_country, is_zone
from ..contracts.preferences import KINDS_OF_NAMES
from .category import category_of
from .category_slots import Categories
from .language import language_of

MINUTE_MS = 60_000
NOBODY = Note("audience", "nobody can be in it")
_ISO_639_1 = (
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en"
    " eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv"
    " ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne"
    " ng nl nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv"
    " sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"
)
LANGUAGES = frozenset(_ISO_639_1.split())  # ISO 639-1, as `language_of` gives them: Norwegian is nb


class Resolved(NamedTuple):
    """An audience as partitions read it, and what was left out of it."""

    audience: Audience | None = None
    slots: tuple[int, ...] = ()  # of its categories
    notes: tuple[Note, ...] = ()


def resolved(audience: Audience | None, categories: Categories) -> Resolved:
    """The audience with each name in the one form that readers' rows have; without those that none of them can have."""
    if audience is None:
        return Resolved()
    languages = None if audience.languages is None else tuple(_language(tag) for tag in audience.languages)
    named = None if audience.categories is None else tuple(_category(name, categories) for name in audience.categories)
    notes: list[Note] = []
    audience = msgspec.structs.replace(
        audience,
        languages=_known(languages, LANGUAGES.__contains__, "language", notes),
        zones=_known(audience.zones, is_zone, "zone", notes),
        countries=_known(audience.countries, is_country, "country", notes),
        followers=_known(audience.followers, _can_be_followed, "kind of name", notes),
        categories=_known(named, lambda name: _slot(name, categories) < SHARED_CATEGORY, "category", notes),
    )
    if is_nobody(audience):
        notes.append(NOBODY)
    return Resolved(audience, tuple(_slot(name, categories) for name in audience.categories or ()), tuple(notes))


def widens_at_ms(article: ArticleEvent, known_at_ms: int) -> int:
    """When the rest of an audience gets the article, in ms since 1970; 0 for one without a ramp."""
    if article.audience is None or article.audience.ramp is None:
        return 0
    out_ms = max(known_at_ms, article.opens_at_ms)
    return min(out_ms + round(article.audience.ramp.after_min * MINUTE_MS), LATEST_MS)


def _known(
    names: tuple[str, ...] | None, is_known: Callable[[str], bool], what: str, notes: list[Note]
) -> tuple[str, ...] | None:
    if names is None:
        return None
    kept = tuple(dict.fromkeys(filter(is_known, names)))
    unknown = sum(not is_known(name) for name in names)
    if unknown:
        notes.append(Note("audience", f"a {what} that nobody knows"))
    return kept


def _can_be_followed(name: str) -> bool:
    kind, _, what = name.partition("/")
    return kind in KINDS_OF_NAMES and bool(what)


def _language(tag: str) -> str:
    return language_of(tag, "")


def _category(name: str, categories: Categories) -> str:
    return categories.name_of(category_of(name, "", ""))


def _slot(name: str, categories: Categories) -> int:
    return categories.slots.slot_of(name) if name in categories.slots else SHARED_CATEGORY
