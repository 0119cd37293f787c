"""Fresh articles as columns, as one partition has seen them so far.

One catalog per partition, not per process: what a decision may see is then a function of that partition's own input,
so a replay decides the same. It costs about 0.4 kB an article and partition; the texts are shared.

`apply` answers what a version changed; the last version to arrive counts unless it names a lower number. Slots are
reused when an article leaves the window. The columns of an article are those its contract declares.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from ..arrays import AnyArray, IndexArray, IntArray, UIntArray
from ..contracts.article import AnalysedArticle, columns_of
from ..contracts.ids import key_of
from .slot_index import SlotIndex

Change = Literal["new", "updated", "withdrawn", "unchanged", "stale"]
NEVER_MS = 1 << 62
NO_SLOTS: IndexArray = np.empty(0, np.intp)

_OF_ARTICLE = columns_of(AnalysedArticle)
_COLUMNS = np.dtype(
    [
        ("live", "?"),
        ("readers", "<f4"),  # users of the partition who have it among their recent reads
        ("first_known_s", "<u4"),  # when its first version reached us, whatever later ones say
        *((name, "?") for name in ("held", "stopped", "retracted")),  # by commands (engine/control.py), or its category
        *((column.name, column.dtype, column.shape) for column in _OF_ARTICLE.values()),
    ]
)
_FILL = tuple((field, column.of) for field, column in _OF_ARTICLE.items())


class Catalog:
    """Articles of the last `vector_days`, at most `max_articles`."""

    def __init__(self, max_articles: int = 20_000, keep_ms: int = 7 * 86_400_000) -> None:
        self.max_articles = max_articles
        self.keep_ms = keep_ms
        self.articles: list[AnalysedArticle | None] = []  # slot -> article
        self._columns = np.zeros(256, _COLUMNS)
        self._slot_of_id: dict[str, int] = {}
        self._withdrawn: dict[str, None] = {}  # article ids, in the order they were withdrawn
        self._slots = SlotIndex()
        self._free: list[int] = []
        self._all_open_ms = 0  # from then on no article so far waits for its time
        self._unknown_readers: dict[int, int] = {}  # key -> readers, of articles not (or no longer) in the window
        self._forgotten_s = 0  # no article that left became known later
        self.left_expired_ms = 0  # all articles that left had expired by then: no later push was of one of them

    def __len__(self) -> int:
        return len(self._slot_of_id)

    def __getitem__(self, field: str) -> AnyArray:
        """A column over all slots handed out so far (a view)."""
        return self._columns[field][: len(self.articles)]

    def slot(self, article_id: str) -> int | None:
        """Slot of an article, None if it is unknown."""
        return self._slot_of_id.get(article_id)

    def slots_of_ids(self, article_ids: Sequence[str]) -> IndexArray:
        """Slots of articles, (N,); -1 = unknown."""
        find = self._slot_of_id.get
        return np.array([find(article_id, -1) for article_id in article_ids], np.intp)

    def slots_of(self, keys: UIntArray) -> IndexArray:
        """Slots of article keys, any shape; -1 = unknown or empty."""
        return self._slots.find(keys)

    def first_known_s(self, keys: UIntArray) -> UIntArray:
        """When these articles became known, any shape; 0 = not in the window."""
        slots = self.slots_of(keys)
        return np.asarray(np.where(slots >= 0, self._columns["first_known_s"][slots], np.uint32(0)))

    def forgotten_s(self, now_s: UIntArray) -> UIntArray:
        """Articles that left the window, or `catalog`, became known then or before, (N,)."""
        kept_s = np.uint32(self.keep_ms // 1000)
        return np.maximum(np.where(now_s > kept_s, now_s - kept_s, np.uint32(0)), np.uint32(self._forgotten_s))

    def after_set_aside(self, known_ms: int) -> None:
        """Articles known since `known_ms` or longer were left out, though rows may name them."""
        self._forgotten_s = max(self._forgotten_s, -(-known_ms // 1000))
        self.left_expired_ms = NEVER_MS if known_ms else self.left_expired_ms

    def apply(self, article: AnalysedArticle, now_ms: int) -> Change:
        """Take over one article version; idempotent. Articles out of the window at `now_ms` leave."""
        slot = self._slot_of_id.get(article.article_id)
        known = self.articles[slot] if slot is not None else None
        if known is not None and slot is not None:
            if article.digest == known.digest:
                return "unchanged"
            if article.version < known.version:
                return "stale"
            change: Change = "withdrawn" if article.status == "withdrawn" else "updated"
        else:
            change = "withdrawn" if article.status == "withdrawn" else "new"
            slot = self._new_slot(article, now_ms)
        self.articles[slot] = article
        self._fill(slot, article)
        if article.status == "withdrawn":
            self._withdrawn[article.article_id] = None
        else:
            self._withdrawn.pop(article.article_id, None)
        return change

    def _fill(self, slot: int, article: AnalysedArticle) -> None:
        row, known_s = self._columns[slot], (article.first_known_at_ms or article.known_at_ms) // 1000
        first_s = min(row["first_known_s"], known_s) if row["live"] else known_s
        values = [of(getattr(article, field)) for field, of in _FILL]
        said = row["held"], row["stopped"], row["retracted"]
        self._columns[slot] = (True, row["readers"], first_s, *said, *values)
        self._all_open_ms = max(self._all_open_ms, article.opens_at_ms, article.widens_at_ms)

    def _new_slot(self, article: AnalysedArticle, now_ms: int) -> int:
        self._evict(now_ms)
        slot = self._free.pop() if self._free else len(self.articles)
        if slot == len(self.articles):
            self.articles.append(None)
            if slot >= len(self._columns):
                self._columns = np.concatenate([self._columns, np.zeros_like(self._columns)])
        key = key_of(article.article_id)
        self._columns[slot] = np.zeros((), _COLUMNS)
        twins = self._slots.sharing(key)
        readers = self._columns["readers"][twins[-1]] if twins else self._unknown_readers.pop(key, 0)
        self._columns["readers"][slot] = readers
        self._slot_of_id[article.article_id] = slot
        self._slots.add(key, slot)
        return slot

    def _evict(self, now_ms: int) -> None:
        """Ids stand in order of arrival, near enough to that in which articles opened. Those that wait for their time
        go behind the others: they are not old, and must not keep older ones. Where there is no room, what is withdrawn
        leaves first: a newsroom that deletes its archive takes back articles by the ten thousand.
        """
        if len(self._slot_of_id) >= self.max_articles and (gone := next(iter(self._withdrawn), None)) is not None:
            self._drop(gone, self._slot_of_id[gone])
        waiting = 0
        while self._slot_of_id:
            article_id, slot = next(iter(self._slot_of_id.items()))
            row, full = self._columns[slot], len(self._slot_of_id) >= self.max_articles
            opens_ms = max(row["published_ms"], row["embargo_ms"])
            # what history brings stays as long as what is new, for its readers' events
            old = max(opens_ms, int(row["first_known_s"]) * 1000) < now_ms - self.keep_ms
            if opens_ms > now_ms and waiting < len(self._slot_of_id):
                waiting += 1
                self._slot_of_id[article_id] = self._slot_of_id.pop(article_id)
            elif full or old:
                self._drop(article_id, slot)
            else:
                break

    def _drop(self, article_id: str, slot: int) -> None:
        row, key = self._columns[slot], int(self._columns["key"][slot])
        del self._slot_of_id[article_id]
        self._withdrawn.pop(article_id, None)
        self._slots.remove(key, slot)
        if row["readers"] > 0 and not self._slots.sharing(key):
            self._unknown_readers[key] = int(row["readers"])
        self._forgotten_s = max(self._forgotten_s, int(row["first_known_s"]))
        self.left_expired_ms = max(self.left_expired_ms, int(row["expires_ms"]))
        row["live"] = False
        self.articles[slot] = None
        self._free.append(slot)

    def alone(self, article: AnalysedArticle, now_ms: int) -> "Catalog":
        """A catalog of this version only, with what is known here of its readers: to meet it before it is out."""
        other, key, slot = Catalog(1, self.keep_ms), key_of(article.article_id), self.slot(article.article_id)
        twins = self._slots.sharing(key)
        other._unknown_readers[key] = (
            self._columns["readers"][twins[-1]] if twins else self._unknown_readers.get(key, 0)
        )
        other.apply(article, now_ms)
        if slot is not None:
            first_s = other._columns["first_known_s"]
            first_s[0] = min(first_s[0], self._columns["first_known_s"][slot])
        return other

    def fresh(self, now_ms: int) -> IndexArray:
        """Slots of articles that may be pushed now: out, not under embargo, not expired, not taken back or held."""
        return np.flatnonzero(
            self["live"]
            & ~(self["withdrawn"] | self["held"] | self["stopped"] | self["retracted"])
            & (self["published_ms"] <= now_ms)
            & (self["embargo_ms"] <= now_ms)
            & (self["expires_ms"] > now_ms)
        )

    def opens_ms(self) -> IntArray:
        """When each article is out and under no embargo, (slots,) ms since 1970."""
        return np.maximum(self["embargo_ms"], self["published_ms"])

    def opening(self, after_ms: int, until_ms: int) -> IndexArray:
        """Slots whose embargo, future publication time or ramp ended within (after, until]."""
        if after_ms >= self._all_open_ms:
            return NO_SLOTS
        opens_ms, widens_ms = self.opens_ms(), self["widens_ms"]
        opens = (opens_ms > after_ms) & (opens_ms <= until_ms)
        widens = (widens_ms > after_ms) & (widens_ms <= until_ms)
        return np.flatnonzero((opens | widens) & self["live"] & ~self["withdrawn"])

    def after_reads(self, keys: UIntArray, step: int) -> None:
        """Count articles, (N,) keys, that entered (step 1) or left (-1) what users recently read; 0 = no article.

        `readers` is derived from the rows: never logged, counted again on recovery.
        """
        keys = keys[keys > 0]
        if not len(keys):
            return
        entered, times = np.unique(keys, return_counts=True)
        slots = self.slots_of(entered)
        known = slots >= 0
        self._columns["readers"][slots[known]] += step * times[known]
        for slot in slots[known][self._slots.shared(entered[known])].tolist():
            for twin in self._slots.sharing(int(self._columns["key"][slot])):
                self._columns["readers"][twin] = self._columns["readers"][slot]
        unknown = ~known
        for key, change in zip(entered[unknown].tolist(), (step * times[unknown]).tolist(), strict=True):
            count = self._unknown_readers.get(key, 0) + change
            if count > 0:
                self._unknown_readers[key] = count
            else:
                self._unknown_readers.pop(key, None)
