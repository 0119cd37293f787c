"""operations/audit/commands.py: pushes against a stop, a hold, a retraction; and what was taken back for nothing."""

from typing import Any

import msgspec
import pytest
from making import HOUR, T0
from operations.audit.audited import push

from streamrec.contracts.control import Command
from streamrec.contracts.push import Push
from streamrec.contracts.records import RawRecord
from streamrec.operations.audit.facts import Facts
from streamrec.partition.changelog_meta import Meta


def found(commands: list[Command], *pushes: Push) -> dict[str, int]:
    """Violations by rule, where each command was applied a second after it was said."""
    control = [RawRecord(n, each.at_ms, None, msgspec.json.encode(each)) for n, each in enumerate(commands)]
    cursors = [
        RawRecord(n, each.at_ms + 1000, *Meta({"control": n + 1}, each.at_ms).record())
        for n, each in enumerate(commands)
    ]
    sent = [RawRecord(n, p.created_at_ms, p.user_id.encode(), msgspec.json.encode(p)) for n, p in enumerate(pushes)]
    facts = Facts.of(1, {0: sent}, {0: cursors}, {0: []}, {}, control={0: control})
    facts.commands.check(facts.pushes, facts.changelog, facts.tally, 0)
    return {each.rule: each.violations for each in facts.tally.findings() if each.violations}


def said(action: str, at_ms: int = T0, **more: Any) -> Command:
    """A command."""
    return Command(action, "ann", "why", at_ms, **more)


@pytest.mark.parametrize(
    ("no", "yes", "rule"),
    [
        (said("stop"), said("resume", T0 + HOUR), "after_stop"),
        (said("hold", article_id="a"), said("release", T0 + HOUR, article_id="a"), "after_hold"),
        (said("retract", article_id="a"), None, "after_retraction"),
        (said("stop", until_ms=T0 + HOUR), None, "after_stop"),
        (said("stop", category="science"), said("resume", T0 + HOUR, category="science"), "after_stop"),
    ],
)
def test_nothing_leaves_after_a_no(no: Command, yes: Command | None, rule: str) -> None:
    """From when it was applied for certain, until it is lifted or over; another article may."""
    commands = [no] if yes is None else [no, yes]
    assert found(commands, push("u", "a", T0 + 500)) == {}
    assert found(commands, push("u", "a", T0 + 2000)) == {rule: 1}
    after = found(commands, push("u", "a", T0 + 2 * HOUR))
    assert after == ({rule: 1} if rule == "after_retraction" else {})
    other = push("u", "b", T0 + 2000, category="world")
    assert found(commands, other) == ({"after_stop": 1} if no.action == "stop" and not no.category else {})


def test_what_is_taken_back_was_pushed() -> None:
    """To that reader, and once."""
    shown = push("u", "a", T0)
    back = push("u", "a", T0 + 9, kind="retract", push_id="back")
    assert found([], shown, back) == {}
    assert found([], shown, back, back) == {"taken_back": 1}
    assert found([], shown, push("v", "a", T0 + 9, kind="retract", push_id="other")) == {"taken_back": 1}
