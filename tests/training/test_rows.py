"""Rows hold what was known before each impression, and nothing later."""

import itertools
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import HOUR, T0

from streamrec.content.encoder import HashedEncoder
from streamrec.contracts.article import ArticleEvent
from streamrec.contracts.event import UserEvent
from streamrec.datasets.records import Impression, Step
from streamrec.datasets.simulated.log import SimulatedLog
from streamrec.errors import DataError
from streamrec.settings import load
from streamrec.training.history import HISTORY, Histories
from streamrec.training.rows import Rows, language_code, language_name, rows_of


@cache
def log() -> list[Step]:
    """Six hours of forty simulated readers."""
    return list(SimulatedLog(seed=3, n_users=40, hours=6, articles_per_hour=6, visits_per_user_day=12))


def played(steps: list[Step]) -> Rows:
    """Rows of these steps."""
    return rows_of(steps, load({}), HashedEncoder())


@cache
def whole() -> Rows:
    """Rows of the whole log."""
    return played(log())


@settings(max_examples=12, deadline=None)
@given(share=st.floats(0.3, 1))
def test_nothing_from_the_future_gets_in(share: float) -> None:
    """A log cut at a time gives, to the bit, the rows the whole log has before it: features, histories and labels."""
    first_ms, last_ms = whole().at_ms[0], log()[-1].at_ms
    cut_ms = int(first_ms + share * (last_ms - first_ms)) + 1
    cut = played(list(itertools.takewhile(lambda step: step.at_ms < cut_ms, log())))
    same = whole().take(whole().at_ms < cut_ms)
    for name in ("x", "clicked", "impression", "user", "at_ms", "article", "history", "language"):
        np.testing.assert_array_equal(getattr(cut, name), getattr(same, name), name)
    np.testing.assert_array_equal(cut.vectors, whole().vectors[: len(cut.vectors)])
    np.testing.assert_array_equal(cut.histories, whole().histories[: len(cut.histories)])


def test_histories_are_what_was_read_before() -> None:
    """Against the log itself: the articles each user clicked before the impression, oldest first, each once."""
    rows, reads, titles = whole(), dict[str, list[str]](), list[str]()
    vector_of: dict[str, bytes] = {}
    for number, step in enumerate(log()):
        match step.record:
            case ArticleEvent() as article:
                vector_of[article.article_id] = rows.vectors[len(titles)].tobytes()
                titles.append(article.title)
            case UserEvent(action="click" | "open") as event:
                seen = reads.setdefault(event.user_id, [])
                if event.article_id not in seen[-HISTORY:]:
                    seen.append(event.article_id)
            case Impression() as shown:
                at = np.flatnonzero(rows.impression == number)
                assert (rows.history[at] == rows.history[at[0]]).all()
                history = rows.histories[rows.history[at[0]]]
                expected = [vector_of[article_id] for article_id in reads.get(shown.user_id, [])[-HISTORY:]]
                assert [rows.vectors[row].tobytes() for row in history[history >= 0]] == expected
                assert (history[: HISTORY - len(expected)] == -1).all()
                candidates = [vector_of[article_id] for article_id in shown.candidates]
                assert [rows.vectors[row].tobytes() for row in rows.article[at]] == candidates
            case _:
                pass
    assert max(map(len, reads.values())) > 3


def test_an_unknown_article_joins_a_history_when_it_is_known() -> None:
    """A click may come before its article; it keeps its place, and a repeated read counts once."""
    histories, known = Histories(), {"b": 1}
    for article_id in ("a", "b", "b"):
        histories.after_read("u", article_id)
    assert histories.table().shape == (0, HISTORY)
    assert histories.row("u", known) == histories.row("u", known) == 0
    assert histories.row("u", known | {"a": 0}) == 1
    assert histories.row("v", known) == 2
    assert [row[row >= 0].tolist() for row in histories.table()] == [[1], [0, 1], []]


def test_the_last_reads_are_kept() -> None:
    """Of more than thirty reads the newest stay, newest last."""
    histories = Histories()
    for number in range(40):
        histories.after_read("u", str(number))
    histories.row("u", {str(number): number for number in range(40)})
    assert histories.table().tolist() == [list(range(10, 40))]


def test_an_updated_article_is_another_version() -> None:
    """Rows made before an update keep the vector of the text they were shown with."""

    def version(title: str, number: int) -> ArticleEvent:
        return ArticleEvent("a1", title, T0, version=number, language="en")

    shown = Impression("u", ("a1", "unknown"), (True, False))
    steps = [
        Step(T0, version("Chip breaks record", 1)),
        Step(T0 + 1, shown),
        Step(T0 + HOUR, version("Storm over the coast", 2)),
        Step(T0 + HOUR, version("Storm over the coast", 2)),
        Step(T0 + HOUR + 1, shown),
    ]
    rows = played(steps)
    assert rows.article.tolist() == [0, 1]
    assert len(rows.vectors) == 2
    assert [language_name(code) for code in rows.language.tolist()] == ["en", "en"]
    assert rows.clicked.tolist() == [True, True]


@pytest.mark.parametrize("language", ["en", "zh", "da", "und", ""])
def test_language_codes_have_a_way_back(language: str) -> None:
    """A slice of a report can name its language."""
    assert language_name(language_code(language.encode()[:2])) == language[:2]


def test_taking_rows_keeps_the_tables() -> None:
    """Indices into vectors and histories stay valid."""
    rows = whole()
    some = rows.take(rows.clicked)
    assert some.clicked.all()
    assert some.vectors is rows.vectors
    assert some.histories is rows.histories
    assert len(some.x) == len(some.history) == rows.clicked.sum()


def test_a_log_without_impressions_is_refused() -> None:
    """Clicks alone have nothing that was not clicked; the message names the cure."""
    steps = [Step(T0, ArticleEvent("a1", "Chip", T0)), Step(T0 + 1, UserEvent("u", "click", T0 + 1, "a1"))]
    with pytest.raises(DataError, match=r"no impressions .*negatives"):
        played(steps)
