"""Who was erased, as hashes of user ids: so that nothing older than that brings them back.

An event or a patch counts only if it is later, by its own time, than the erasure of its reader. So neither a late event
nor a backlog, a stray, a record that was redriven, a recovery or a move to another space brings anything back.

How long that must be known: an event stays a week in its topic, two in `rerouted`, and two more in each of their dead
letters, from where it may be written back. After KEPT_MS of the policy clock nothing of then is left to come.

The changelog keeps one record each, key 0xFD + hash. It is also the receipt: what there was to delete, and when.
"""

from collections.abc import Collection, Iterable
from hashlib import blake2b
from typing import NamedTuple, TypeVar

import numpy as np
import orjson

from ..arrays import IndexArray
from ..contracts.decode import Typed
from ..contracts.erasure import Erasure
from ..contracts.event import UserEvent
from ..contracts.preferences import Patch
from ..engine.catalog import Catalog
from ..engine.profiles.history import reads_of
from ..engine.profiles.layout import CONSENT_UNKNOWN
from ..engine.profiles.statements import said_since
from ..engine.profiles.store import ProfileStore

ERASED_PREFIX = b"\xfd"
KEPT_MS = 60 * 86_400_000
LATER = 1 << 62
E = TypeVar("E", UserEvent, Patch)


class Receipt(NamedTuple):
    """What was deleted of a reader, and up to when, by their own times, records about them count no more."""

    at_ms: int
    row: bool = False
    preferences: bool = False
    waiting_events: int = 0  # on articles that were not known yet: they stood in the row

    def merged(self, other: "Receipt") -> "Receipt":
        """Of a reader who was erased twice."""
        return Receipt(
            max(self.at_ms, other.at_ms),
            self.row or other.row,
            self.preferences or other.preferences,
            self.waiting_events + other.waiting_events,
        )


class Erasures:
    """The receipts of one partition, by the hash of the user id."""

    def __init__(self) -> None:
        self._by_key: dict[bytes, Receipt] = {}
        self._unwritten: set[bytes] = set()
        self._oldest_ms = LATER

    def __len__(self) -> int:
        return len(self._by_key)

    def of(self, user_id: str) -> Receipt | None:
        """The receipt of a reader; None: nothing of them was erased lately."""
        return self._by_key.get(key_of_erased(user_id))

    def forgets(self, user_id: str, at_ms: int) -> bool:
        """Whether what is said of this reader at that time, its own, counts no more."""
        return bool(self._by_key) and (receipt := self.of(user_id)) is not None and at_ms <= receipt.at_ms

    def since(self, typed: list[Typed[E]], profiles: ProfileStore) -> list[Typed[E]]:
        """What of this counts: what is older than its reader's erasure does not."""
        if not self._by_key:
            return typed
        kept: list[Typed[E]] = []
        back: set[str] = set()  # by what is applied with it
        for item in typed:
            if not self._is_over(item.value, profiles, back):
                kept.append(item)
                back.add(item.value.user_id)
        return kept

    def _is_over(self, value: UserEvent | Patch, profiles: ProfileStore, back: Collection[str]) -> bool:
        """Older than its reader's erasure, or a tombstone of preferences of one who was erased and is not back."""
        if self.forgets(value.user_id, value.at_ms):
            return True
        if not (isinstance(value, Patch) and value.resets) or value.user_id in back:
            return False
        return profiles.row(value.user_id) is None and self.of(value.user_id) is not None

    def add(self, user_id: str, receipt: Receipt) -> None:
        """Note that a reader was erased."""
        key = key_of_erased(user_id)
        known = self._by_key.get(key)
        self._by_key[key] = receipt if known is None else known.merged(receipt)
        self._unwritten.add(key)
        self._oldest_ms = min(self._oldest_ms, self._by_key[key].at_ms)

    def forget_old(self, now_ms: int) -> bool:
        """Let receipts go that nothing needs any more; whether there were any."""
        if self._oldest_ms > now_ms - KEPT_MS:
            return False
        old = [key for key, receipt in self._by_key.items() if receipt.at_ms <= now_ms - KEPT_MS]
        for key in old:
            del self._by_key[key]
        self._unwritten.update(old)
        self._oldest_ms = min((receipt.at_ms for receipt in self._by_key.values()), default=LATER)
        return bool(old)

    def encode(self) -> list[tuple[bytes, bytes | None]]:
        """Changelog records of what changed since this was last asked."""
        changed, self._unwritten = sorted(self._unwritten), set()
        found = [(key, self._by_key.get(key)) for key in changed]
        return [(key, None if receipt is None else orjson.dumps(receipt._asdict())) for key, receipt in found]

    def restore(self, records: Iterable[tuple[bytes, bytes | None]]) -> None:
        """Take over what the changelog holds; None for none."""
        for key, value in records:
            if value is None:
                self._by_key.pop(key, None)
            else:
                self._by_key[key] = Receipt(**orjson.loads(value))
        self._oldest_ms = min((receipt.at_ms for receipt in self._by_key.values()), default=LATER)


def key_of_erased(user_id: str) -> bytes:
    """The key of a reader's receipt in the changelog; the id cannot be read from it."""
    return ERASED_PREFIX + blake2b(user_id.encode(), digest_size=16, person=b"streamrec erased").digest()


def forgotten(profiles: ProfileStore, catalog: Catalog, erasure: Erasure) -> tuple[IndexArray, Receipt]:
    """Forget a reader: the row that is to be written, as a tombstone, if there was one; and the receipt.

    A request may come late. What a reader has said since counts, for the later holds by its own time: a later opt-out
    keeps a row, in which there is nothing else. What was learned is one sum of both times, and goes.
    """
    row = profiles.row(erasure.user_id)
    if row is None:
        return np.empty(0, np.intp), Receipt(erasure.at_ms)
    rows, columns = np.array([row], np.intp), profiles.columns
    waiting = int(np.count_nonzero(columns["waiting"]["article"][row]))
    receipt = Receipt(erasure.at_ms, True, bool(columns["side"][row]), waiting)
    catalog.after_reads(reads_of(profiles, rows), -1)
    said, consents = said_since(profiles.said(row), erasure.at_ms), columns["consent_at_ms"][row] > erasure.at_ms
    if not (said.statements or consents):
        profiles.forget(rows)
        return rows, receipt
    profiles.start_again(rows, erasure.at_ms // 1000)
    if not consents:
        columns["consent"][row], columns["consent_at_ms"][row] = CONSENT_UNKNOWN, 0
    if columns["side"][row]:
        profiles.say(row, said)
    return rows, receipt
