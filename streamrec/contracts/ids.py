"""Ids as numbers: what the row, the catalog and the features share. Part of the stored layout: never change a value.

CRC-32 is enough here: a collision makes one article look already read for one user, nothing worse.
"""

import zlib


def key_of(text: str) -> int:
    """CRC-32 of an article, story or zone id; never 0, which means empty."""
    return zlib.crc32(text.encode()) or 1


CATEGORY_SLOTS = 30
SOURCE_SLOTS = 16
CATEGORIES = (
    "politics", "world", "business", "technology", "science", "health", "sports", "entertainment", "lifestyle",
    "travel", "food", "culture", "crime", "weather", "autos", "video", "music", "movies", "tv", "education",
    "environment", "opinion", "local", "games",
)  # fmt: skip
_ALIASES = {
    "news": "world", "finance": "business", "money": "business", "economy": "business", "tech": "technology",
    "sport": "sports", "foodanddrink": "food", "kids": "education", "northamerica": "world", "middleeast": "world",
    "nyheder": "world", "krimi": "crime", "underholdning": "entertainment", "forbrug": "lifestyle", "auto": "autos",
    "musik": "music", "opinionen": "opinion", "penge": "business", "ferie": "travel",
}  # fmt: skip
_SLOT = {name: slot for slot, name in enumerate(CATEGORIES)}


def category_slot(category: str) -> int:
    """Slot of a category: a fixed one for the well-known names, one of six shared ones for all others."""
    name = category.strip().lower()
    slot = _SLOT.get(_ALIASES.get(name, name))
    return (
        slot if slot is not None else len(CATEGORIES) + zlib.crc32(name.encode()) % (CATEGORY_SLOTS - len(CATEGORIES))
    )


def source_slot(source: str) -> int:
    """Slot of a publisher or desk, by hash."""
    return zlib.crc32(source.strip().lower().encode()) % SOURCE_SLOTS
