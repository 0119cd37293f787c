"""Erasures read a second time, plainly: what of a reader counts, and the receipt that must stand in the changelog.

What is said of a reader counts only if it is later, by its own time, than their latest erasure; and a tombstone of
preferences only where there is something to take back. No code is shared with partition/erasures.py but the key of a
receipt, which is a format.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from ...contracts.erasure import Erasure
from ...contracts.event import UserEvent
from ...contracts.preferences import Patch
from ...partition.erasures import key_of_erased


@dataclass
class Receipt:
    """What there was to delete; `waiting` is None where a row may have forgotten some of it."""

    at_ms: int = 0
    row: bool = False
    preferences: bool = False
    waiting: int | None = 0


class Erased:
    """The readers of one partition who were erased, and what of them counts since."""

    def __init__(self) -> None:
        self._receipts: dict[str, Receipt] = {}

    def take(self, erasure: Erasure, had: Receipt | None) -> None:
        """A reader was erased; `had`: what there was of them, None for nothing."""
        receipt = self._receipts.setdefault(erasure.user_id, Receipt())
        receipt.at_ms = max(receipt.at_ms, erasure.at_ms)
        if had is not None:
            receipt.row, receipt.preferences = True, receipt.preferences or had.preferences
            unsure = receipt.waiting is None or had.waiting is None
            receipt.waiting = None if unsure else (receipt.waiting or 0) + (had.waiting or 0)

    def counts(self, said: UserEvent | Patch, is_known: bool) -> bool:
        """Whether an event or a patch changes anything; `is_known`: there is something of its reader."""
        receipt = self._receipts.get(said.user_id)
        if receipt is None:
            return True
        takes_all_back = isinstance(said, Patch) and said.resets
        return said.at_ms > receipt.at_ms and (is_known or not takes_all_back)

    def differences(self, logged: dict[bytes, bytes]) -> Iterator[str]:
        """Between the receipts in the changelog, by key, and those that are due, in words."""
        found = {key: Receipt(*orjson.loads(value).values()) for key, value in logged.items() if key[:1] == b"\xfd"}
        for user_id, receipt in self._receipts.items():
            there = found.pop(key_of_erased(user_id), None)
            if there is not None and receipt.waiting is None:
                there.waiting = None
            if there != receipt:
                yield f"the receipt of {user_id} says {there}, expected {receipt}"
        if found:
            yield f"{len(found)} receipts of nobody who was erased"
