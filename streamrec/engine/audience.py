"""Who is in the audience of an article (contracts/audience.py), by what a reader's row says.

    languages   those the reader stated, or else that of the latest read
    zones       the zone the reader stated, or else a device named last, or else the deployment's default zone; an old
                name is its present one
    countries   the country of that zone (contracts/places.py)
    categories  half a read or more, decayed to now: one read within a half-life, or more reads longer ago
    followers   one of these names is followed (profiles/preferences.py)
    share       mix(CRC-32 of the user id, CRC-32 of the article id) < share * 2**32

The mix is fixed for a reader and an article, so a larger share has all readers of a smaller one, and each article
another part of them. Until a ramp is over only its share of the audience is in it. Where a row says nothing, its reader
is outside.
"""

from functools import lru_cache

import numpy as np

from ..arrays import BoolArray, UIntArray
from ..contracts.article import AnalysedArticle
from ..contracts.audience import Audience
from ..contracts.ids import key_of
from ..contracts.places import country_of, present_name
from .profiles.interest import decay
from .profiles.store import Users
from .profiles.zones import names_of_slots

READS = 0.5  # of a category, decayed: who has as many is in its audience


def members(article: AnalysedArticle, users: Users, now_ms: int, half_life_ms: float, default_zone: str) -> BoolArray:
    """Whether each user is in the article's audience at `now_ms`, (N,); all are where it has none."""
    audience = article.audience
    inside = np.ones(len(users), np.bool_)
    if audience is None:
        return inside
    if audience.languages is not None:
        inside &= _speak(users, audience.languages)
    if audience.zones is not None or audience.countries is not None:
        known = (users["zone"] == 0) | (users["zone_slot"] > 0)
        inside &= known & _zone_table(audience.zones, audience.countries, default_zone)[users["zone_slot"]]
    if audience.categories is not None:
        inside &= _reads(users, article.audience_slots, now_ms, half_life_ms) >= READS
    if audience.followers is not None:
        inside &= users.store.preferences.follow_names(users["side"], audience.followers)
    share = share_at(article, now_ms)
    if share < 1:
        inside &= draws(users["salt"], key_of(article.article_id)) < share * 2.0**32
    return inside


def share_at(article: AnalysedArticle, now_ms: int) -> float:
    """The part of the audience that may have the article at `now_ms`, 0 to 1."""
    audience = article.audience or Audience()
    share = 1.0 if audience.share is None else audience.share
    return share * audience.ramp.share if audience.ramp and now_ms < article.widens_at_ms else share


def draws(salt: UIntArray, key: int) -> UIntArray:
    """A number below 2**32 for each user and this article, (N,): evenly spread, and the same for ever."""
    mixed = (salt.astype(np.uint64) << np.uint64(32)) | np.uint64(key)  # splitmix64
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(32))


def _speak(users: Users, languages: tuple[str, ...]) -> BoolArray:
    """Whether each user reads one of these languages, (N,)."""
    wanted, sides = np.array([name.encode() for name in languages], "S2"), users["side"]
    read = np.isin(users["language"], wanted)
    if not sides.any():
        return read
    stated = users.store.preferences.columns["languages"][sides]  # (N, L)
    return np.asarray(np.where((stated != b"").any(axis=1), np.isin(stated, wanted).any(axis=1), read))


def _reads(
    users: Users, slots: tuple[int, ...], now_ms: int, half_life_ms: float
) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    """The most reads each user has in one of these categories, decayed to now, (N,)."""
    if not slots:
        return np.zeros(len(users), np.float32)
    worth = decay(np.maximum(now_ms - users["interest_at_ms"], 0), half_life_ms)
    return np.asarray(users["category_affinity"][:, list(slots)].max(axis=1).astype(np.float32) * worth)


@lru_cache(maxsize=64)
def _zone_table(zones: tuple[str, ...] | None, countries: tuple[str, ...] | None, default_zone: str) -> BoolArray:
    """Whether a reader in the zone of each slot fits, (slots,)."""
    present = None if zones is None else {present_name(zone) for zone in zones}
    names = names_of_slots(default_zone)
    return np.array(
        [
            (present is None or present_name(name) in present) and (countries is None or country_of(name) in countries)
            for name in names
        ]
    )
