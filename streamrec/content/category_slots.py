"""Slots of categories: each deployment's own sections, in order of appearance.

    slot of a name = its place in the table; the last slot is shared by all names that came when the others were taken,
    and by articles without a category

Profiles hold affinities by slot, so a name keeps its slot for ever. The table stands in every partition of `catalog`
as one record beside the articles: empty but for a header that names the categories, with a watermark of 0, which tells
partitions nothing. They need no table, for each article says its slot.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from ..contracts.ids import SHARED_CATEGORY
from ..contracts.records import Record, first_headers, watermark_headers
from .category_map import read_category_map

SLOTS_KEY = b"\xffcategories"  # no article id can be this one
SLOTS_HEADER = "streamrec-categories"


class CategorySlots:
    """The table of section name to slot number, which only grows: a slot never changes its meaning."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self.names: list[str] = []
        self._slot: dict[str, int] = {}
        for name in names:
            self.hand_out(name)

    def __len__(self) -> int:
        return len(self.names)

    def __contains__(self, name: object) -> bool:
        return name in self._slot

    def slot_of(self, name: str) -> int:
        """The slot this category has, or would get as the next one."""
        return self._slot.get(name, len(self.names) if name else SHARED_CATEGORY)

    def hand_out(self, name: str) -> bool:
        """Let the category have that slot for ever; True if the table has grown."""
        slot = self.slot_of(name)
        if slot == SHARED_CATEGORY or name in self._slot:
            return False
        self.names.append(name)
        self._slot[name] = slot
        return True

    def begins_with(self, other: "CategorySlots") -> bool:
        """Whether every name of the other table has the same slot here."""
        return self.names[: len(other)] == other.names

    def headers(self) -> list[tuple[str, bytes]]:
        """Headers of the `catalog` record by which a later owner reads the table back."""
        return [*watermark_headers(0), (SLOTS_HEADER, msgspec.json.encode(self.names))]


class Categories:
    """What a deployment calls its categories (setting `category_map`), and their slots."""

    def __init__(self, category_map: Path | None) -> None:
        self._names = read_category_map(category_map)
        self.slots = CategorySlots()

    def name_of(self, category: str) -> str:
        """What counts for this section; the section itself if the map does not know it."""
        return self._names.get(category, category)


def slots_in(record: Record) -> CategorySlots | None:
    """The table that this record of `catalog` remembers, None for any other record."""
    if record.key != SLOTS_KEY:
        return None
    return CategorySlots(msgspec.json.decode(first_headers(record)[SLOTS_HEADER], type=list[str]))
