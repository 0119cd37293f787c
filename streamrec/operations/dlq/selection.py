"""Which letters are meant, and how many there are of each kind. Pure: the same letters give the same answer."""

from collections.abc import Collection, Iterable
from typing import NamedTuple

from .letters import Letter


class Choice(NamedTuple):
    """What a person asked for; an empty collection or None asks for nothing in particular."""

    topics: Collection[str] = ()  # without prefix and `.dlq`
    reasons: Collection[str] = ()
    since_ms: int | None = None  # set aside then or later
    redriven: bool | None = None  # True: only those; False: only open ones

    def takes(self, letter: Letter) -> bool:
        """Whether a letter meets every condition of the choice."""
        return (
            (not self.topics or letter.place.topic in self.topics)
            and (not self.reasons or letter.reason in self.reasons)
            and (self.since_ms is None or letter.at_ms >= self.since_ms)
            and (self.redriven is None or letter.is_open != self.redriven)
        )


class Group(NamedTuple):
    """How many letters of one topic and reason there are, and from when."""

    topic: str
    reason: str
    letters: int
    open: int  # never redriven
    oldest_ms: int
    newest_ms: int


def groups(letters: Iterable[Letter]) -> list[Group]:
    """Counts by topic and reason, in this order; every letter is in one group."""
    found: dict[tuple[str, str], Group] = {}
    for letter in letters:
        name, at_ms = (letter.place.topic, letter.reason), letter.at_ms
        known = found.get(name, Group(*name, 0, 0, at_ms, at_ms))
        found[name] = Group(
            *name,
            known.letters + 1,
            known.open + letter.is_open,
            min(known.oldest_ms, at_ms),
            max(known.newest_ms, at_ms),
        )
    return [found[name] for name in sorted(found)]
