"""What a real run's commands must have led to: each way of falling short of it is found."""

import msgspec
import pytest
from operations.audit.audited import T0, push

from streamrec.contracts.control import Command
from streamrec.contracts.push import Push
from streamrec.contracts.records import RawRecord
from streamrec.engine.control import Statement
from streamrec.partition.changelog_meta import CONTROL_PREFIX, ChangelogContent
from streamrec.tools.chaos.cluster_requests import command_differences

HOLD = Command("hold", "ann", "why", T0, command_id="held", article_id="a2")
RELEASE = Command("release", "ann", "why", T0 + 1, command_id="released", article_id="a2")
RETRACT = Command("retract", "ann", "why", T0, command_id="retracted", article_id="a1")
SHOWN, BACK = push("ann", "a1"), push("ann", "a1", kind="retract", push_id="back")


@pytest.mark.parametrize(
    ("sent", "counting", "found"),
    [
        ([SHOWN, BACK], [RELEASE, RETRACT], ""),
        ([SHOWN, BACK], [HOLD, RETRACT], "the last command on 'holda2' does not count"),
        ([SHOWN], [RELEASE, RETRACT], "1 readers were sent no retraction of a1"),
        ([SHOWN, BACK, BACK], [RELEASE, RETRACT], "ann was sent retract of a1 twice"),
        ([BACK], [RELEASE, RETRACT], "ann was sent retract of a1, which it never got"),
    ],
)
def test_what_commands_have_led_to(sent: list[Push], counting: list[Command], found: str) -> None:
    """A hold, its release, and a retraction; the changelog says which of them count."""
    control = [
        RawRecord(at, T0 + 9, None, msgspec.json.encode(each)) for at, each in enumerate((HOLD, RELEASE, RETRACT))
    ]
    content = ChangelogContent(1)
    content.take((CONTROL_PREFIX + each.action.encode(), msgspec.json.encode(Statement.of(each))) for each in counting)
    assert " ".join(command_differences(control, sent, content, {"ann"})) == found
