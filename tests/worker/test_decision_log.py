"""The worker's line about what was decided."""

import logging

import pytest

from streamrec.worker.reporting.decision_log import EVERY_S, FIRST_S, DecisionLog


def test_the_first_line_comes_soon_the_others_every_minute(caplog: pytest.LogCaptureFixture) -> None:
    """Each says what came since the one before, the commonest reason first; nothing decided, nothing said."""
    caplog.set_level(logging.INFO)
    decided = DecisionLog()
    decided.tell(99.0)
    decided.add(0, {"quiet_hours": 1, "in_session": 3, "daily_cap": 0})
    decided.tell(100.0)
    decided.tell(100.0 + FIRST_S)
    decided.add(2, {})
    decided.tell(100.0 + 2 * FIRST_S)
    decided.tell(100.0 + FIRST_S + EVERY_S)
    decided.tell(100.0 + FIRST_S + 3 * EVERY_S)
    assert caplog.messages == [
        "decided: 0 pushes; held back: in_session 3, quiet_hours 1",
        "decided: 2 pushes; held back: none",
    ]
