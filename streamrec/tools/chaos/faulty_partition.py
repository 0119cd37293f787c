"""The partition under test: the real one, with a bug that some records reach, and a memory for the judge."""

from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar, NamedTuple

from ...arrays import IndexArray
from ...contracts.article import AnalysedArticle
from ...contracts.control import Command
from ...contracts.decode import Item, Typed
from ...contracts.erasure import Erasure
from ...contracts.event import UserEvent
from ...contracts.preferences import Patch
from ...decide import Decision
from ...engine.predictor import Predictor
from ...partition.changelog_meta import Meta
from ...partition.changes import Changes, PushRecord
from ...partition.intake import Batch
from ...partition.partition import Logged, Meeting, Partition, PartitionContext
from .articles_reading import Arrived

_AS_SPACE, _AS_BITS = str.maketrans("01", " \t"), str.maketrans(" \t", "01")
POISON = "poison"  # events of such users, and articles of such ids


def at_once(article_id: str) -> bool:
    """Whether this article is poison when it is taken in. Every other one is when users who are due meet it."""
    return article_id.startswith(POISON) and int(article_id.removeprefix(POISON) or 1) % 2 == 1


class Sent(NamedTuple):
    """So many pushes, retractions and corrections were made."""

    pushes: int


# What changes state, in the order it did: an article may come between events, and a push before an erasure.
Effect = Arrived | Command | Sent | Typed[UserEvent] | Typed[Patch] | Erasure


class Encoding(NamedTuple):
    """State was encoded for a transaction: by which partition, and how much it had been given by then."""

    partition: "FragilePartition"
    given: int  # batches
    effects: int
    cursor: dict[str, int]
    looked_ms: int


class FragilePartition(Partition):
    """A partition with a bug that some records reach, and a memory of what it was given.

    Each time it is encoded gets a number, written into the cursor record as white space, so that a judge can tell from
    the log alone whose work was committed, and in which order.
    """

    encodings: ClassVar[list[Encoding]] = []

    def __init__(self, context: PartitionContext) -> None:
        super().__init__(context)
        self.history: list[Batch] = []
        self.effects: list[Effect] = []
        self.overdue: list[str] = []  # in words

    def encode(self, rows: IndexArray) -> list[tuple[bytes, bytes | None]]:
        """Encode as a partition does, and hide the number of this encoding in blanks behind the cursor record."""
        *records, (key, value) = super().encode(rows)
        assert value is not None
        number = len(self.encodings)
        self.encodings.append(Encoding(self, len(self.history), len(self.effects), dict(self.cursor), self.looked_ms))
        return [*records, (key, value + f"{number:b}".translate(_AS_SPACE).encode())]

    @classmethod
    def encoding_of(cls, cursor_record: bytes) -> Encoding:
        """Which encoding a cursor record of the log is from."""
        spaces = cursor_record[cursor_record.rindex(b"}") + 1 :]
        return cls.encodings[int(spaces.decode().translate(_AS_BITS), 2)]

    def apply(self, batch: Batch, now_ms: int) -> Iterator[Changes]:
        """Apply as a partition does, and remember the batch for the oracle."""
        self.history.append(batch)
        return super().apply(batch, now_ms)

    def restore(
        self, rows: Iterable[Logged], meta: Meta, articles: Sequence[Item[AnalysedArticle]],
        control: Iterable[Logged] = (),
    ) -> None:  # fmt: skip
        """Afterwards nobody waits for a time that was over when the predecessor looked."""
        super().restore(rows, meta, articles, control)
        due = zip(self.profiles.users, self.profiles["due_at_s"].tolist(), strict=True)
        self.overdue = [
            f"{user} is still due at {at_s} after a look at {meta.looked_ms // 1000}"
            for user, at_s in due
            if 0 < at_s <= meta.looked_ms // 1000
        ]

    def learn(self, typed: list[Typed[UserEvent]], changes: Changes) -> None:
        self.effects += typed
        super().learn(typed, changes)  # the damage is done when it raises
        if any(item.value.user_id.startswith(POISON) for item in typed):
            raise ArithmeticError("a bug that this event reaches")

    def command(self, typed: list[Typed[Command]], now_ms: int, changes: Changes) -> None:
        """Remember what was commanded, and do it."""
        self.effects += [item.value for item in typed]
        super().command(typed, now_ms, changes)

    def prefer(self, typed: list[Typed[Patch]], changes: Changes) -> None:
        self.effects += typed
        super().prefer(typed, changes)
        if any(item.value.user_id.startswith(POISON) for item in typed):
            raise ArithmeticError("a bug that this preference reaches")

    def erase(self, erasure: Erasure, changes: Changes) -> None:
        """Remember who was erased, and do it."""
        self.effects.append(erasure)
        super().erase(erasure, changes)
        if erasure.user_id.startswith(POISON):
            raise ArithmeticError("a bug that this erasure reaches")

    def meet(self, meeting: Meeting) -> Changes:
        """Remember how many pushes were made, and where among the events."""
        return self._counted(super().meet(meeting))

    def wave(self, now_ms: int) -> Changes | None:
        """The same of what is taken back or corrected."""
        changes = super().wave(now_ms)
        return None if changes is None else self._counted(changes)

    def _counted(self, changes: Changes) -> Changes:
        if changes.pushes:
            self.effects.append(Sent(len(changes.pushes)))
        return changes

    def take_in(self, article: AnalysedArticle, now_ms: int, changes: Changes) -> bool:
        self.effects.append(Arrived(article, now_ms))
        may_be_pushed = super().take_in(article, now_ms, changes)
        if at_once(article.article_id):
            raise ArithmeticError("a bug that this article reaches")
        return may_be_pushed

    def _decision(self, predictor: Predictor, meeting: Meeting) -> tuple[Decision, list[PushRecord]]:
        """Users who are due reach it through any of these articles, long after it came or after a recovery."""
        met = (self.catalog.articles[slot] for slot in meeting.slots)
        if meeting.trigger == "due" and any(article and article.article_id.startswith(POISON) for article in met):
            raise ArithmeticError("a bug that users who are due reach")
        return super()._decision(predictor, meeting)
