"""Rows held against the plain reading: what is compared of a reader who dealt with more than a row remembers."""

from typing import Any

import numpy as np
import pytest
from making import T0, Feed, article, click, partition

from streamrec.contracts.decode import Typed
from streamrec.contracts.ids import key_of
from streamrec.engine.profiles.layout import READ, ROW, SEEN
from streamrec.settings import load
from streamrec.tools.chaos.articles_reading import Arrived
from streamrec.tools.chaos.reference_reading import Compared, PlainReading
from streamrec.tools.chaos.row_check import row_differences
from streamrec.tools.chaos.verdict import Verdict

READ_IN_ALL = SEEN + 3


def both(articles: int) -> tuple[Any, PlainReading]:
    """The row of somebody who read so many articles, each twice, and the plain reading of that."""
    state, reading = partition(daily_cap=0), PlainReading(load({}))
    feed = Feed(state)
    for number in range(articles):
        new = article(f"a{number}", known_at_ms=T0 + number * 1000)
        feed.articles(new)
        reading.take(Arrived(new, T0))
    for number in [*range(articles), *range(articles)]:
        said = click(article_id=f"a{number}")
        feed.events(said)
        reading.take(Typed(0, T0, said))
    return np.frombuffer(dict(state.encode(np.array([0])))[b"u1"] or b"", ROW).copy(), reading


def told(row: Any, reading: PlainReading) -> list[str]:
    """What differs."""
    return row_differences({b"u1": row.tobytes()}, reading)


def test_a_row_that_remembers_all_is_compared_in_full() -> None:
    """And one more article makes it a crowded one, in which nothing is wrong either."""
    for articles in (SEEN, READ_IN_ALL):
        row, reading = both(articles)
        assert told(row, reading) == []
        assert reading.compared() == Compared(articles == SEEN, 1)


def test_a_push_takes_a_place_too() -> None:
    """Whether a reader is crowded does not depend on which came first."""
    _, reading = both(SEEN)
    reading.push("u1", "a0")
    assert reading.compared().in_full == 1
    reading.push("u1", "pushed")
    assert reading.compared().in_full == 0


@pytest.mark.parametrize(
    ("field", "place", "value"),
    [
        ("floor_s", 0, T0 // 1000),
        ("n_reads", 0, READ_IN_ALL - 1),
        ("n_reads", 0, 2 * READ_IN_ALL + 1),
        ("seen", (0, 5), 0),
        ("seen", (0, 5), key_of("another")),
        ("seen_acts", (0, 5), READ | 4),
        ("interest_at_ms", 0, T0 + 1),
        ("consent", 0, 2),
    ],
)
def test_what_holds_of_a_crowded_row_is_compared(field: str, place: Any, value: int) -> None:
    """Nothing read may be pushed again, nothing is remembered that was not done, and reads have bounds."""
    row, reading = both(READ_IN_ALL)
    row[field][place] = value
    assert len(told(row, reading)) == 1, field


def test_too_few_rows_compared_in_full_are_a_finding() -> None:
    """A comparison that has become empty must not pass for one that holds."""
    verdict = Verdict()
    verdict.compare(Compared(3, 10))
    verdict.judge_comparison(0.3)
    assert verdict.holds
    verdict.judge_comparison(0.4)
    assert verdict.found == ["rows of 3 of 10 readers compared in full, expected 40%"]
