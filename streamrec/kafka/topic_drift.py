"""How topics differ from what they should be, in sentences that name the cure."""

from collections.abc import Iterable
from typing import NamedTuple

MISSING = "missing"


class Drift(NamedTuple):
    """One way in which a topic is not as the settings need it, with its cure."""

    topic: str
    what: str
    expected: str
    got: str
    cure: str

    def __str__(self) -> str:
        return f"topic {self.topic}: {self.of_any()}"

    def of_any(self) -> str:
        """The sentence without the topic's name, so that topics with the same drift can share it."""
        if self.got == MISSING:
            return f"missing; {self.cure}"
        return f"{self.what} is {self.got}, expected {self.expected}; {self.cure}"


def summary(drift: Iterable[Drift]) -> list[str]:
    """A sentence for each kind: what several topics have in common is said once, with its cure."""
    alike: dict[str, list[str]] = {}
    for one in drift:
        alike.setdefault(one.of_any(), []).append(one.topic)
    return [f"{_named(topics)}: {what}" for what, topics in alike.items()]


def _named(topics: list[str]) -> str:
    return f"topic {topics[0]}" if len(topics) == 1 else f"{len(topics)} topics ({', '.join(topics)})"
