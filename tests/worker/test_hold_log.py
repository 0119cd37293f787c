"""When it is told that pushes are held back."""

import logging

import pytest

from streamrec.worker.reporting.hold_log import TOLD_S, Hold, HoldLog

FREE = Hold(None, "")
LATE = Hold("strays", "events-3 is behind by 12 records")


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    """Messages and the partitions they are about."""
    found = [(record.getMessage(), str(vars(record)["partitions"])) for record in caplog.records]
    caplog.clear()
    return found


def test_partitions_that_wait_together_are_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """Once it has lasted, with what is waited for; and once when it is over."""
    caplog.set_level(logging.INFO)
    held = HoldLog()
    held.note({0: FREE, 1: LATE, 2: LATE}, 100.0)
    held.note({0: FREE, 1: LATE, 2: LATE}, 100.0 + TOLD_S - 0.1)
    assert lines(caplog) == []
    for at_s in (100.0 + TOLD_S, 110.0):
        held.note({0: FREE, 1: LATE, 2: LATE}, at_s)
    assert lines(caplog) == [("pushes are held back: events-3 is behind by 12 records", "1,2")]
    for _ in range(2):
        held.note({0: FREE, 1: FREE, 2: FREE}, 130.0)
    assert lines(caplog) == [("pushes leave again after 30 s", "1,2")]


def test_a_moment_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    """A takeover that finds nothing to read."""
    caplog.set_level(logging.INFO)
    held = HoldLog()
    for at_s, why in ((0.0, Hold("taking_over", "")), (1.0, FREE), (4.0, LATE), (8.0, LATE), (8.5, FREE)):
        held.note({0: why}, at_s)
    assert lines(caplog) == []


def test_another_reason_is_told_and_a_partition_that_moved_is_not(caplog: pytest.LogCaptureFixture) -> None:
    """What helps is another thing; and nobody's pushes leave again because somebody else holds them back."""
    caplog.set_level(logging.INFO)
    held = HoldLog()
    held.note({0: LATE}, 0.0)
    held.note({0: LATE}, 6.0)
    held.note({0: Hold("own_lag", "a record has waited")}, 7.0)
    assert lines(caplog) == [
        (f"pushes are held back: {LATE.words}", "0"),
        ("pushes are held back: a record has waited", "0"),
    ]
    held.note({}, 8.0)
    held.note({0: FREE}, 9.0)
    assert lines(caplog) == []
