"""operations/control.py: the audit trail, as commands, desk and terminal know it."""

import msgspec
from making import T0, article

from streamrec.contracts.control import Command
from streamrec.contracts.records import RawRecord
from streamrec.operations.control import Trail


def hold(article_id: str, command_id: str = "", at_ms: int = T0, until_ms: int = 0) -> Command:
    """A hold of an article."""
    return Command("hold", "ann", f"why {article_id}", at_ms, command_id, article_id, until_ms=until_ms)


def trail_of(*said: Command | bytes) -> Trail:
    """A trail that has taken these in, in two pieces."""
    raw = [each if isinstance(each, bytes) else msgspec.json.encode(each) for each in said]
    records, trail = [RawRecord(at, T0 + at, None, value) for at, value in enumerate(raw)], Trail()
    trail.take(records[:1])
    trail.take(records[1:])
    return trail


def test_a_command_that_was_sent_twice_is_one() -> None:
    """One without an id is never another's copy; what cannot be read is an entry, and counted."""
    trail = trail_of(hold("a", "c1"), hold("b"), hold("b"), b"{", hold("a", "c1"))
    assert [entry.offset for entry in trail.entries] == [0, 1, 2, 3]
    assert [command.article_id for command in trail.commands] == ["a", "b", "b"]
    assert (trail.unreadable, trail.entries[3].reason) == (1, "undecodable")


def test_what_is_in_effect_says_why() -> None:
    """Of all kinds or some, the latest first; what has ended by itself is not."""
    stop = Command("stop", "ben", "a wrong name", T0 + 9, "c2")
    trail = trail_of(hold("a", "c1"), hold("over", "c3", until_ms=T0 + 1), stop)
    assert [(one.target.kind, one.why) for one in trail.in_effect()] == [
        ("everything", "a wrong name"), ("article", "why a")
    ]  # fmt: skip
    assert [one.said.who for one in trail.stops()] == ["ben"]
    assert [one.target.name for one in trail.about(article("a"))] == ["a"]
    assert not trail.about(article("over"))
