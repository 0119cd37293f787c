"""contracts/event.py: what an action means stands in one place."""

import msgspec
import numpy as np
import pytest

from streamrec.contracts.event import ACTIONS, CODE, KINDS, NEEDS_NO_ARTICLE, READING, UserEvent
from streamrec.contracts.schema import schema
from streamrec.engine import learn

STORED = {
    "click": 0, "open": 1, "impression": 2, "dwell": 3, "dismiss": 4, "dislike": 5, "share": 6, "save": 7,
    "search": 8, "subscribe": 9, "unsubscribe": 10,
}  # fmt: skip


def test_stored_ordinals_never_change() -> None:
    """Rows of waiting reads hold them: another number would make a share of a comment."""
    assert STORED.items() <= CODE.items()


def test_each_action_has_its_own_ordinal() -> None:
    """Two actions with one could not be told apart in a row."""
    assert len(set(CODE.values())) == len(KINDS)
    assert all(0 <= code < 256 for code in CODE.values())


@pytest.mark.parametrize("action", ACTIONS)
def test_decoder_and_tables_know_each_action(action: str) -> None:
    """The decoder takes it, and what it teaches stands at its ordinal."""
    value = {"user_id": "u", "action": action, "at_ms": 1_767_225_600_000}
    assert msgspec.convert(value, UserEvent).action == action
    code, kind = CODE[action], KINDS[action]
    assert learn._WORTH[code] == np.float32(kind.worth)
    assert learn._READING[code] == (action in READING) == kind.reading
    assert learn._REFUSING[code] == kind.refusing
    assert bool(learn._CONSENT[code]) == (kind.consent is not None)
    assert (action in NEEDS_NO_ARTICLE) != kind.needs_article


def test_the_schema_lists_the_actions() -> None:
    """As the decoder knows them."""
    assert set(schema("events")["$defs"]["UserEvent"]["properties"]["action"]["enum"]) == set(ACTIONS)
