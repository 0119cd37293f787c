"""Rules of the audit by name, and what was found under each.

Examples name topic, partition and offset. The user id is carried for whoever may see it; `Example.shown` gives its
CRC-32 unless told otherwise.
"""

import zlib
from collections import Counter
from typing import NamedTuple

from ...terminal.printable import printable

RULES = {
    "duplicate_push": "a push leaves once",
    "two_pushes_one_decision": "one decision gives a user one push",
    "daily_cap": "no user gets more pushes in 24 hours than the cap",
    "min_interval": "the minimum interval lies between two pushes to a user",
    "quiet_hours": "nobody is woken, where the user's zone at that time is certain",
    "opt_out": "no push after an unsubscribe was applied, or had to be before a push, wherever it lies",
    "preferences": "no push against a level, a refusal or a mute that had to be known",
    "already_read": "no push of an article the user had read, as far as that was applied or had to be",
    "outside_audience": "no push of an article to a reader outside its share of the audience",
    "after_stop": "no push after everything or its category was stopped, as far as that was applied",
    "after_hold": "no push of an article after it was held, as far as that was applied",
    "after_retraction": "no push of an article after it was retracted, as far as that was applied",
    "unapproved": "nothing to an audience that two persons had to approve, and had not, in this version",
    "after_erasure": "no push to a reader who was erased, before they came back",
    "taken_back": "what is taken back or corrected was pushed to that reader, and is sent once",
    "already_pushed": "no article and no story is pushed twice to a user",
    "wrong_partition": "a user's rows and pushes lie where murmur2 of the id says",
    "user_in_two_partitions": "a user has one row",
    "push_without_row": "a push and its user's row are one transaction",
    "row_behind_push": "the row knows of the user's last push",
    "cursor_beyond_end": "a cursor points into its input topic",
    "cursor_backwards": "committed work never moves backwards",
    "cursor_missing": "rows and cursor are one transaction",
    "unknown_layout": "this release can read every changelog record",
    "push_malformed": "every push is as the contract says",
    "pushed_expired": "no push was past its own time when it was made",
}


class Example(NamedTuple):
    """One violation by the place where it lies, for people to look up."""

    topic: str  # without the prefix of the cluster
    partition: int
    offset: int
    user: str = ""
    note: str = ""  # never user data

    def shown(self, show_user: bool = False) -> str:
        """The example in words; its user as CRC-32 unless `show_user`."""
        who = printable(self.user) if show_user else f"crc {zlib.crc32(self.user.encode()):08x}"
        parts = [
            f"{self.topic}-{self.partition} @ {self.offset}",
            f"user {who}" if self.user else "",
            self.note,
        ]
        return printable(", ".join(part for part in parts if part), None)


class Finding(NamedTuple):
    """How often one rule was checked and broken, with examples."""

    rule: str
    checked: int  # records that could be judged; 0 = the rule says nothing about this cluster
    violations: int
    examples: list[Example]


class Tally:
    """Counts under each rule, with the first few examples."""

    def __init__(self, examples: int = 5) -> None:
        self._keep = examples
        self._checked: Counter[str] = Counter()
        self._violations: Counter[str] = Counter()
        self._examples: dict[str, list[Example]] = {rule: [] for rule in RULES}

    def checked(self, rule: str, count: int = 1) -> None:
        """Count records that were judged by a rule."""
        self._checked[rule] += count

    def violated(self, rule: str, example: Example) -> None:
        """Count a record that broke a rule, and keep the first few as examples."""
        self._violations[rule] += 1
        if len(self._examples[rule]) < self._keep:
            self._examples[rule].append(example)

    def findings(self) -> list[Finding]:
        """What was found under each rule, in the order of RULES."""
        return [Finding(rule, self._checked[rule], self._violations[rule], self._examples[rule]) for rule in RULES]
