"""Ids as numbers: what the row, the catalog and the features share. Part of the stored layout: never change a value.

CRC-32 is enough here: a collision makes one article look already read for one user, nothing worse.
"""

import zlib


def key_of(text: str) -> int:
    """CRC-32 of an article, story or zone id; never 0, which means empty."""
    return zlib.crc32(text.encode()) or 1


CATEGORY_SLOTS = 30
SHARED_CATEGORY = CATEGORY_SLOTS - 1  # of articles without a category, and of categories that came when all were taken
SOURCE_SLOTS = 16
CATEGORIES = (
    "politics", "world", "business", "technology", "science", "health", "sports", "entertainment", "lifestyle",
    "travel", "food", "culture", "crime", "weather", "autos", "video", "music", "movies", "tv", "education",
    "environment", "opinion", "local", "games",
)  # fmt: skip
CATEGORY_ALIASES = {
    "news": "world", "finance": "business", "money": "business", "economy": "business", "tech": "technology",
    "sport": "sports", "foodanddrink": "food", "kids": "education", "northamerica": "world", "middleeast": "world",
    "nyheder": "world", "krimi": "crime", "underholdning": "entertainment", "forbrug": "lifestyle", "auto": "autos",
    "musik": "music", "opinionen": "opinion", "penge": "business", "ferie": "travel",
}  # fmt: skip
_FIXED = {name: slot for slot, name in enumerate(CATEGORIES)}


def fixed_category_slot(category: str) -> int:
    """Slot of a category in catalogs of releases that did not hand slots out; shared by all but the well-known."""
    return _FIXED.get(CATEGORY_ALIASES.get(category, category), SHARED_CATEGORY)


def source_slot(source: str) -> int:
    """Slot of a publisher or desk, by hash."""
    return zlib.crc32(source.strip().lower().encode()) % SOURCE_SLOTS
